import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ImageError } from '../errors';
import type { Generator } from '../features/generator';
import type { CheckpointStore } from '../generators/training/checkpoint';
import type { TrainGeneratorOptions } from '../generators/training/options';
import { trainGeneratorOn } from '../generators/training/train-generator';
import { showValue } from '../options/show';
import type { Bytes } from '../storage/byte-store';
import { untilAborted } from '../until-aborted';
import { loadGenerator } from './generators';
import type { NodeImageInput } from './image-input';
import { platform } from './platform';
import { filePath, requireWritableFile, writeBytes } from './write-file';
import { imageExtensions } from './write-image';

/** Options of {@link trainGenerator} in Node: files too. */
export interface NodeTrainGeneratorOptions
  extends Omit<TrainGeneratorOptions<NodeImageInput>, 'base' | 'images' | 'checkpoint'> {
  /**
   * The generator to start from, of any style, or its file: a few hundred steps then do what takes thousands from
   * scratch. `'own'` is the one that comes with this package, `'none'` is a start from scratch.
   * @default 'own', beside `architecture` 'none'
   */
  readonly base?: 'own' | 'none' | Generator | (string & {}) | URL | undefined;
  /**
   * A folder of photographs to train on, or a list of images. Folders in it are not looked into.
   * @default pictures that are drawn from the seed, with which training does as well
   */
  readonly images?: string | URL | readonly NodeImageInput[] | undefined;
  /**
   * A file that keeps the state, every 25 steps and at the end: a call with the same options goes on from it, to the
   * same generator. It is replaced at once, so that it is whole after a crash too.
   * @default none
   */
  readonly checkpoint?: string | URL | CheckpointStore | undefined;
}

const train = /* @__PURE__ */ trainGeneratorOn(platform);

/**
 * `trainGenerator` whose images may also be paths, URLs and the bytes of image files, and whose photographs a folder.
 * If the program has not set up a tfjs backend, it starts wasm.
 *
 * @throws ImageError if a file cannot be read, the folder has no images (`EMPTY`), or the checkpoint cannot be written;
 *   otherwise as `trainGenerator` of `tfjs-style-transfer/generators`
 * @example
 * ```ts
 * const generator = await trainGenerator({
 *   style: 'painting.jpg',
 *   weights: 'vgg19',
 *   checkpoint: 'painting.training',
 * });
 * await saveGenerator('painting.safetensors', generator);
 * ```
 */
export async function trainGenerator({
  base,
  images,
  checkpoint,
  ...options
}: NodeTrainGeneratorOptions): Promise<Generator> {
  return train({
    ...options,
    base: await baseOf(base, options.signal),
    images: isPath(images) ? await imagesIn(filePath(images)) : images,
    checkpoint: isPath(checkpoint) ? await checkpointFile(filePath(checkpoint)) : checkpoint,
  });
}

/** A base that is a file is read. */
export const baseOf = async (
  base: NodeTrainGeneratorOptions['base'],
  signal?: AbortSignal,
): Promise<TrainGeneratorOptions['base']> =>
  isPath(base) && base !== 'own' && base !== 'none'
    ? untilAborted(signal, loadGenerator(base))
    : (base as TrainGeneratorOptions['base']);

const isPath = (value: unknown): value is string | URL => typeof value === 'string' || value instanceof URL;

/** The files of images in a folder, by name. */
async function imagesIn(folder: string): Promise<readonly string[]> {
  const refuse = (code: 'FILE_NOT_FOUND' | 'EMPTY', what: string, cause?: unknown) => {
    const accepted = `a folder with files ${imageExtensions.join(', ')}`;
    const message = `images is ${showValue(folder)}, ${what}; accepted: ${accepted}.`;
    return new ImageError(code, message, { option: 'images', value: folder, accepted, cause });
  };
  const names = await readdir(folder).catch((cause) => {
    throw refuse('FILE_NOT_FOUND', 'which is no folder that can be read', cause);
  });
  // Names with a dot first are notes of file systems on other files.
  const found = names
    .filter((name) => !name.startsWith('.') && imageExtensions.includes(extname(name).toLowerCase()))
    .sort();
  if (found.length === 0) throw refuse('EMPTY', 'which has no images');
  return found.map((name) => join(folder, name));
}

/**
 * A checkpoint in a file.
 *
 * @param anew whether what the file has is not read, and stays until a state replaces it @default false
 * @throws ImageError `NOT_WRITABLE`, before any work
 */
export async function checkpointFile(path: string, anew = false): Promise<CheckpointStore> {
  await requireWritableFile(path);
  return {
    name: path,
    read: async () =>
      anew ? undefined : readFile(path).then((bytes): Bytes => new Uint8Array(bytes), unlessMissing),
    write: (bytes) => writeBytes(path, bytes),
  };
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
