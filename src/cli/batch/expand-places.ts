import { statSync } from 'node:fs';
import { extname, isAbsolute } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { isUrl } from '../../batch/stores';
import { InvalidArgumentError } from '../../errors';
import { styleExtension } from '../../node/style-files';
import { showValue } from '../../options/show';

/** The places that arguments name. */
export interface Places {
  readonly places: readonly string[];
  /** Files that patterns found and that are no pictures by their extension. */
  readonly skipped: readonly string[];
}

/** Extensions of the pictures and style files that a pattern finds. */
const extensions: readonly string[] = [
  ...['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff', '.gif', '.svg', '.heic', '.heif'],
  styleExtension,
];

/**
 * The files of arguments that may be patterns such as `'photos/*.jpg'`, each once: those of a pattern in order of their
 * names. A file with the very name of a pattern is that file; URLs are no patterns.
 *
 * @param option name of the argument, for messages
 * @throws InvalidArgumentError `FILE_NOT_FOUND` if a file does not exist, or a pattern finds none
 */
export async function expandPlaces(option: string, words: readonly string[]): Promise<Places> {
  const places: string[] = [];
  const skipped: string[] = [];
  for (const word of words) {
    if (isUrl(word) || isFile(word)) {
      places.push(word);
      continue;
    }
    // Patterns have slashes on Windows too, where a backslash in a name is a folder.
    const pattern = process.platform === 'win32' ? word.replaceAll('\\', '/') : word;
    if (!isDynamicPattern(pattern)) throw noFile(option, word);
    const found = (await glob(pattern, { expandDirectories: false, absolute: isAbsolute(pattern) })).sort();
    const pictures = found.filter((file) => extensions.includes(extname(file).toLowerCase()));
    skipped.push(...found.filter((file) => !pictures.includes(file)));
    if (pictures.length === 0) throw nothingFound(option, word, found.length);
    places.push(...pictures);
  }
  return { places: [...new Set(places)], skipped: [...new Set(skipped)] };
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;

function noFile(option: string, word: string): InvalidArgumentError {
  const isFolder = statSync(word, { throwIfNoEntry: false }) !== undefined;
  const accepted = isFolder
    ? `a pattern such as ${showValue(`${word.replace(/\/$/, '')}/*`)}`
    : 'a file, a URL, or a pattern';
  const what = isFolder ? 'a folder' : 'no file that exists';
  return new InvalidArgumentError(
    'FILE_NOT_FOUND',
    `${option} is ${showValue(word)}, ${what}; accepted: ${accepted}.`,
    {
      option,
      value: word,
      accepted,
    },
  );
}

function nothingFound(option: string, word: string, others: number): InvalidArgumentError {
  const accepted = `a pattern of pictures (${extensions.join(', ')})`;
  const what =
    others === 0 ? 'finds no file' : `finds ${others} files, none of them a picture by its extension`;
  return new InvalidArgumentError(
    'FILE_NOT_FOUND',
    `${option} is ${showValue(word)}, which ${what}; accepted: ${accepted}.`,
    { option, value: word, accepted },
  );
}
