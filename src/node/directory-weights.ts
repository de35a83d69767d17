import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WeightsError } from '../errors';
import { layersModelWeights } from '../features/vgg19/layers-model-weights';
import type { WeightConvention, WeightSource } from '../features/vgg19/source';
import { requireKnownOptions } from '../options/validate';
import type { ByteRange, ByteStore, Bytes, ReadBytesOptions } from '../storage/byte-store';

/** Options of {@link directoryWeights}. */
export interface DirectoryWeightsOptions {
  /** What the weights expect of their input. @default what the model.json says, else 'caffe' */
  readonly convention?: WeightConvention | undefined;
  /** For reports. @default `'VGG-19 from <path>'` */
  readonly name?: string | undefined;
}

/**
 * VGG-19 as a TensorFlow.js layers model on disk: a folder with `model.json` and its shards. Only the bytes of the layers asked
 * for are read.
 *
 * @param path the folder or its model.json, as a path or a `file:` URL
 * @throws WeightsError when reading, if a file is missing, too short or not what model.json says
 * @example
 * ```ts
 * const source = directoryWeights('../shared/vgg19');
 * const extractor = await loadVgg19({ weights: source });
 * ```
 */
export function directoryWeights(path: string | URL, options: DirectoryWeightsOptions = {}): WeightSource {
  requireKnownOptions('directoryWeights', options, ['convention', 'name']);
  return layersModelWeights(directoryStore(path), options);
}

/** A folder on disk, or a file in it, as a {@link ByteStore}. */
export function directoryStore(path: string | URL): ByteStore {
  const location = resolve(
    typeof path === 'string' && !path.startsWith('file:') ? path : fileURLToPath(path),
  );
  const isFile = /\.(json|safetensors)$/i.test(location);
  return new DirectoryStore(isFile ? dirname(location) : location, isFile ? basename(location) : undefined);
}

class DirectoryStore implements ByteStore {
  constructor(
    readonly name: string,
    readonly entry: string | undefined,
  ) {}

  prefersWhole(): boolean {
    return false;
  }

  size(file: string): Promise<number> {
    return this.reporting(file, async (path) => (await stat(path)).size);
  }

  async read(file: string, limit: number, { signal }: ReadBytesOptions = {}): Promise<Bytes> {
    signal?.throwIfAborted();
    return this.reporting(file, (path) =>
      withFile(path, async (handle) => {
        const { size } = await handle.stat();
        if (size > limit)
          throw new WeightsError('TOO_LARGE', `${path} has ${size} bytes; expected at most ${limit}.`, {
            option: file,
            value: size,
            accepted: `at most ${limit} bytes`,
          });
        return readFully(handle, path, { offset: 0, length: size });
      }),
    );
  }

  async *readRanges(
    file: string,
    ranges: readonly ByteRange[],
    { signal }: ReadBytesOptions = {},
  ): AsyncGenerator<Bytes> {
    for (const range of ranges) {
      signal?.throwIfAborted();
      yield await this.reporting(file, (path) => withFile(path, (handle) => readFully(handle, path, range)));
    }
  }

  private async reporting<T>(file: string, work: (path: string) => Promise<T>): Promise<T> {
    const path = join(this.name, file);
    try {
      return await work(path);
    } catch (cause) {
      if (cause instanceof WeightsError) throw cause;
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      throw new WeightsError(
        missing ? 'FILE_NOT_FOUND' : 'READ_FAILED',
        missing ? `There is no ${path}.` : `${path} cannot be read: ${(cause as Error).message}`,
        { option: 'weights', value: path, cause },
      );
    }
  }
}

async function withFile<T>(path: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

async function readFully(handle: FileHandle, path: string, { offset, length }: ByteRange): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0)
      throw new WeightsError(
        'TRUNCATED',
        `${path} ends after ${offset + filled} bytes; expected ${offset + length}.`,
        { option: 'weights', value: offset + filled, accepted: `at least ${offset + length} bytes` },
      );
    filled += bytesRead;
  }
  return bytes;
}
