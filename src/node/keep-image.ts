import { randomUUID } from 'node:crypto';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Image } from '../image/image';
import { replaceFile } from './replace-file';
import { type EncodeImageOptions, encodeImage } from './write-image';

/**
 * Saves an image elsewhere after its destination could not be written: to the temporary folder, else the user's home,
 * else the current folder. Never replaces a file.
 *
 * @param image [height, width, 3]; not disposed
 * @param path the destination that failed; the new file's name begins with its name
 * @returns the path of the file; undefined if no folder is writable
 */
export async function keepImage(
  image: Image,
  path: string,
  { format = 'png', settings }: Pick<EncodeImageOptions, 'format' | 'settings'> = {},
): Promise<string | undefined> {
  const bytes = await encodeImage(image, { format, settings });
  const name = `${basename(path, extname(path))}-${randomUUID().slice(0, 8)}.${format}`;
  for (const folder of [tmpdir(), homedir(), process.cwd()]) {
    if (resolve(folder) === dirname(resolve(path))) continue;
    const file = join(folder, name);
    try {
      await replaceFile(file, bytes);
      return file;
    } catch {
      // Ignored: the next folder may be on another disk.
    }
  }
  return undefined;
}
