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
 * The pairs that a set of folders holds: each content with each style other than itself. A folder with subfolders `content` and `style`
 * says itself which is which; of a plain folder every image is both, unless names are given.
 */
export async function findPairs(folders: readonly string[], choice: PairChoice = {}): Promise<ImagePair[]> {
  const contents: string[] = [];
  const styles: string[] = [];
  for (const folder of folders) {
    const [content, style] = [join(folder, 'content'), join(folder, 'style')];
    const sorted = (await isFolder(content)) && (await isFolder(style));
    contents.push(...(await imagesIn(sorted ? content : folder)));
    styles.push(...(await imagesIn(sorted ? style : folder)));
  }
  for (const paths of [contents, styles]) requireDifferentNames(paths);
  const chosenContents = choose(contents, choice.contents);
  const chosenStyles = choose(styles, choice.styles);
  const pairs = chosenContents.flatMap((content) =>
    chosenStyles.filter((style) => style !== content).map((style) => ({ content, style })),
  );
  if (pairs.length === 0)
    throw new Error(`No pair of images in ${folders.join(', ')}: at least two are needed.`);
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

function choose(paths: readonly string[], names: readonly string[] | undefined): string[] {
  if (!names) return [...paths];
  return names.flatMap((name) => {
    const found = paths.filter((path) => parse(path).base === name || parse(path).name === name);
    if (found.length === 0)
      throw new Error(`There is no image '${name}'; there are: ${paths.map(imageName).join(', ')}.`);
    return found;
  });
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
