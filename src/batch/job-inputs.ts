import { ImageError } from '../errors';
import type { NodeImageInput } from '../node/image-input';
import { platform } from '../node/platform';
import { showUrl } from '../options/show';
import type { Platform } from '../platform';
import type { Bytes } from '../storage/byte-store';
import { sha256 } from '../storage/sha256';
import type { JobContext } from './job-context';
import { readFrom } from './stores';

/** The files that a job reads, each once. */
export interface JobInputs {
  /** A platform whose images are places of files. */
  readonly platform: Platform<string>;
  /** SHA-256 of every file that has been read, by its place. */
  readonly hashes: Readonly<Record<string, string>>;
  /** The bytes of a file. @param option the argument that names it, for errors */
  read(option: string, place: string, signal?: AbortSignal): Promise<Uint8Array>;
}

/**
 * Makes the inputs of one job.
 *
 * @param expected SHA-256 that files must have, by their places
 */
export function jobInputs(
  { memory }: Pick<JobContext, 'memory'>,
  expected: Readonly<Record<string, string>> = {},
): JobInputs {
  const hashes: Record<string, string> = {};
  const held = new Map<string, Promise<Uint8Array>>();
  const readNow = async (option: string, place: string, signal?: AbortSignal) => {
    const bytes = await readFrom(option, place, { signal });
    const hash = await sha256(bytes as Bytes);
    if (expected[place] !== undefined && expected[place] !== hash) throw changed(option, place);
    hashes[place] = hash;
    return bytes;
  };
  const read = (option: string, place: string, signal?: AbortSignal) => {
    const bytes = held.get(place) ?? readNow(option, place, signal);
    held.set(place, bytes);
    return bytes;
  };
  const of: Platform<NodeImageInput> = platform;
  return {
    hashes,
    read,
    platform: {
      ...platform,
      memory: memory === undefined ? platform.memory : () => memory,
      openStyle: async (option, place, signal) =>
        of.openStyle?.(option, await read(option, place, signal), signal),
      openGenerator: async (option, place, signal) =>
        of.openGenerator?.(option, await read(option, place, signal), signal),
      open: async (option, place, signal, use) =>
        of.open(option, await read(option, place, signal), signal, use),
      decode: async (option, place, size, signal) =>
        of.decode(option, await read(option, place, signal), size, signal),
    },
  };
}

function changed(option: string, place: string): ImageError {
  const message = `${option} ${showUrl(place)} is another file than the one that the job was made for.`;
  return new ImageError('FILE_CHANGED', message, { option, value: place });
}
