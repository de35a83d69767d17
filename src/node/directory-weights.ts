import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WeightsError } from '../errors';
import { fileSourceOptions, layersModelWeights, safetensorsWeights } from '../features/vgg19/file-weights';
import type { WeightSource } from '../features/vgg19/source';
import type { FileSourceOptions } from '../features/vgg19/tensor-source';
import { requireWeightKind, unsupportedKind } from '../features/vgg19/weight-kinds';
import { showText } from '../options/show';
import { optionTable } from '../options/table';
import {
  type ByteRange,
  type ByteStore,
  type Bytes,
  type ReadBytesOptions,
  totalLength,
} from '../storage/byte-store';
import { unknownWeights } from '../storage/remote-location';

/** Options of {@link directoryWeights}. */
export type DirectoryWeightsOptions = FileSourceOptions;

const directoryWeightsOptions = optionTable<DirectoryWeightsOptions>()('directoryWeights', fileSourceOptions);

/**
 * VGG-19 on disk: a TensorFlow.js layers model (a folder with `model.json` and its shards), or a `.safetensors` file.
 * Only the shards, or of a `.safetensors` file the bytes, of the layers asked for are read.
 *
 * @param path the folder, its model.json or the .safetensors file, as a path or a `file:` URL
 * @throws InvalidArgumentError for another kind of file; WeightsError when reading, if a file is missing, too short or
 * malformed
 * @example
 * ```ts
 * const source = directoryWeights('../shared/vgg19');
 * const extractor = await loadVgg19({ weights: source });
 * ```
 */
export function directoryWeights(path: string | URL, options: DirectoryWeightsOptions = {}): WeightSource {
  const { convention, name } = directoryWeightsOptions.read(options);
  const location = pathOf(path);
  requireWeightKind(location);
  const isFile = /\.(json|safetensors)$/i.test(location);
  const store = isFile
    ? new DirectoryStore(dirname(location), basename(location))
    : new DirectoryStore(location, undefined);
  return /\.safetensors$/i.test(location)
    ? safetensorsWeights(store, { convention, name: name ?? `VGG-19 from ${showText(String(path), 200)}` })
    : layersModelWeights(store, { convention, name });
}

function pathOf(location: string | URL): string {
  try {
    return resolve(
      typeof location === 'string' && !/^file:/i.test(location) ? location : fileURLToPath(location),
    );
  } catch (cause) {
    throw unknownWeights(String(location), 'a path, or a file: URL of this machine', cause);
  }
}

/** A folder on disk. */
class DirectoryStore implements ByteStore {
  readonly name: string;

  constructor(
    private readonly folder: string,
    readonly entry: string | undefined,
  ) {
    this.name = showText(folder, 200);
  }

  size(file: string): Promise<number> {
    return this.withFile(file, async (handle) => (await handle.stat()).size);
  }

  async read(file: string, limit: number, { signal }: ReadBytesOptions = {}): Promise<Bytes> {
    signal?.throwIfAborted();
    return this.withFile(file, async (handle, path) => {
      const { size } = await handle.stat();
      if (size <= limit) return readFully(handle, path, { offset: 0, length: size });
      const accepted = `at most ${limit} bytes`;
      throw new WeightsError('TOO_LARGE', `${path} has ${size} bytes; expected ${accepted}.`, {
        option: file,
        value: size,
        accepted,
      });
    });
  }

  readRanges(
    file: string,
    ranges: readonly ByteRange[],
    { signal, onBytes }: ReadBytesOptions = {},
  ): Promise<readonly Bytes[]> {
    return this.withFile(file, async (handle, path) => {
      const before = (await handle.stat()).mtimeMs;
      const parts: Bytes[] = [];
      for (const range of ranges) {
        signal?.throwIfAborted();
        parts.push(await readFully(handle, path, range));
        onBytes?.(totalLength(parts));
      }
      if ((await handle.stat()).mtimeMs === before) return parts;
      throw new WeightsError('FILE_CHANGED', `${path} was modified while it was read.`, {
        option: 'weights',
      });
    });
  }

  /** Opens a regular file. @param work gets the path as messages show it */
  private async withFile<T>(
    file: string,
    work: (handle: FileHandle, path: string) => Promise<T>,
  ): Promise<T> {
    const path = join(this.folder, file);
    const shown = showText(path, 200);
    let handle: FileHandle | undefined;
    try {
      // Non-blocking, because opening a pipe would wait for a writer, without end and without reacting to signals.
      // Windows has no such flag.
      handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      if (!(await handle.stat()).isFile())
        throw new WeightsError('NOT_A_FILE', `${shown} is a folder, a pipe or a device; accepted: a file.`, {
          option: 'weights',
          value: path,
          accepted: 'a file',
        });
      return await work(handle, shown);
    } catch (cause) {
      if (!isSystemError(cause)) throw cause;
      if (cause.code === 'ENOTDIR') throw unsupportedKind(this.folder, 'a file of unknown kind');
      const missing = cause.code === 'ENOENT';
      throw new WeightsError(
        missing ? 'FILE_NOT_FOUND' : 'READ_FAILED',
        missing ? `There is no ${shown}.` : `${shown} cannot be read: ${showText(cause.message, 200)}`,
        { option: 'weights', value: path, cause },
      );
    } finally {
      await handle?.close();
    }
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string' && 'errno' in error;

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
