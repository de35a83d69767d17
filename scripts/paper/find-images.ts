import { readdir, stat } from 'node:fs/promises';
import { extname, join, parse, resolve } from 'node:path';

/** A content image and a style image, by path. */
export interface ImagePair {
  readonly content: string;
  readonly style: string;
}

/** Which of the images found are contents and which styles, by file name with or without extension. */
export interface PairChoice {
  readonly contents?: readonly string[] | undefined;
  readonly styles?: readonly string[] | undefined;
}

const extensions = ['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff', '.avif'];

/**
 * The pairs that folders hold: within each, every content with every style other than itself. Subfolders `content` and
 * `style` say which is which; so does a name that begins with one of these words. Any other image of a plain folder is
 * both.
 */
export async function findPairs(folders: readonly string[], choice: PairChoice = {}): Promise<ImagePair[]> {
  const found = await Promise.all(folders.map(imagesByRole));
  requireDifferentNames(found.flatMap(({ contents, styles }) => [...new Set([...contents, ...styles])]));
  requireFound(
    found.flatMap(({ contents }) => contents),
    choice.contents,
  );
  requireFound(
    found.flatMap(({ styles }) => styles),
    choice.styles,
  );
  const pairs = found.flatMap(({ contents, styles }) =>
    chosen(contents, choice.contents).flatMap((content) =>
      chosen(styles, choice.styles)
        .filter((style) => style !== content)
        .map((style) => ({ content, style })),
    ),
  );
  if (pairs.length === 0) {
    throw new Error(`No pair of images in ${folders.join(', ')}: at least two are needed.`);
  }
  return pairs;
}

/** The name of an image in tables and file names. */
export const imageName = (path: string): string => parse(path).name;

/** Names tell runs apart. */
function requireDifferentNames(paths: readonly string[]): void {
  const names = paths.map(imageName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`There are two images named '${twice}': ${paths.join(', ')}.`);
}

function requireFound(paths: readonly string[], names: readonly string[] = []): void {
  const missing = names.find((name) => chosen(paths, [name]).length === 0);
  if (missing === undefined) return;
  throw new Error(`There is no image '${missing}'; there are: ${paths.map(imageName).join(', ')}.`);
}

const chosen = (paths: readonly string[], names: readonly string[] | undefined): readonly string[] =>
  names
    ? paths.filter((path) => names.includes(parse(path).base) || names.includes(parse(path).name))
    : paths;

async function imagesByRole(folder: string): Promise<{ contents: string[]; styles: string[] }> {
  const [content, style] = [join(folder, 'content'), join(folder, 'style')];
  if ((await isFolder(content)) && (await isFolder(style))) {
    return { contents: await imagesIn(content), styles: await imagesIn(style) };
  }
  const images = await imagesIn(folder);
  const without = (word: string) => images.filter((path) => !imageName(path).startsWith(word));
  return { contents: without('style'), styles: without('content') };
}

async function imagesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => extensions.includes(extname(file).toLowerCase()))
    .sort()
    .map((file) => resolve(folder, file));
}

const isFolder = (path: string) =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
