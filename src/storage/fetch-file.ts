import { WeightsError } from '../errors';
import { showUrl } from '../options/show';
import {
  type ByteRange,
  type Bytes,
  bytesBefore,
  copyRanges,
  endOf,
  type ReadBytesOptions,
  totalLength,
} from './byte-store';
import type { Pin } from './checked-cache';
import { download, type Transport, wrongSize } from './download';
import { PassingFailure } from './retry';
import { sha256 } from './sha256';

/** All of a file, in one transfer. Throws a `WeightsError` for more than `limit` bytes, or others than the pinned. */
export function fetchWhole(
  url: string,
  { size, sha256: hash }: Pin,
  limit: number,
  transport: Transport,
  onBytes: ReadBytesOptions['onBytes'],
): Promise<Bytes> {
  const requireSize = (bytes: number) => {
    if (size !== undefined && bytes !== size) throw wrongSize(url, bytes, `${size} bytes`);
    if (bytes <= limit) return;
    const accepted = `at most ${limit} bytes`;
    const message = `${showUrl(url)} is larger than ${limit} bytes.`;
    throw new WeightsError('TOO_LARGE', message, { option: 'weights', value: bytes, accepted });
  };
  return download(url, undefined, transport, async ({ total, chunks }) => {
    if (total !== undefined) requireSize(total);
    const received: Bytes[] = [];
    let loaded = 0;
    for await (const chunk of chunks) {
      received.push(chunk);
      loaded += chunk.length;
      if (loaded > (size ?? limit)) requireSize(loaded);
      onBytes?.(loaded);
    }
    if (total !== undefined && loaded < total) {
      const message = `${showUrl(url)} ended after ${loaded} bytes instead of ${total}`;
      throw new PassingFailure(message, { code: 'TRUNCATED' });
    }
    requireSize(loaded);
    const bytes = new Uint8Array(await new Blob(received).arrayBuffer());
    if (hash) await requireHash(bytes, hash, url);
    return bytes;
  });
}

/** Parts of a file, as far as they have been fetched, all of one version. */
export interface FileParts {
  readonly ranges: readonly ByteRange[];
  /** A part for each range; undefined while it is missing. */
  readonly parts: (Bytes | undefined)[];
  /** The server's name of the version; a random one for one transfer of a server that names none. */
  version: string | undefined;
  /** Number of times that a response was of another version than the one before. */
  changes: number;
}

/**
 * Fetches missing parts of a file by one request; others need another call. A response of another version replaces all
 * parts so far. A server that names no version, or often another one, is read in one transfer from the file's start to
 * the last wanted byte, and so is one that ignores Range.
 *
 * @param onPart called when a part is complete
 */
export async function fetchParts(
  url: string,
  file: FileParts,
  transport: Transport,
  onPart: (index: number, bytes: Bytes) => Promise<void>,
  onBytes: (loaded: number) => void = () => undefined,
): Promise<void> {
  const { ranges, parts, version: known } = file;
  const had = present(parts).length;
  const range = file.changes > 1 ? undefined : nextRange(file);
  await download(url, range, transport, async ({ partial, total, version, chunks }) => {
    const start = partial && range ? range.offset : 0;
    const end = partial && range ? endOf([range]) : endOf(ranges);
    if (partial && version === undefined && range && (start > ranges[0].offset || end < endOf(ranges))) {
      // Nothing would tell whether the next response is of the same file.
      file.changes = 2;
      return;
    }
    if (total !== undefined && total < end) throw wrongSize(url, total, `at least ${end} bytes`);
    if (version === undefined || version !== known) {
      if (known !== undefined) file.changes++;
      file.version = version ?? `transfer ${Date.now()}-${Math.random()}`;
      parts.fill(undefined);
    }
    const sent = [...ranges.keys()].filter(
      (i) => !parts[i] && start <= ranges[i].offset && endOf([ranges[i]]) <= end,
    );
    const wanted = sent.map((i) => ranges[i]);
    const filled = wanted.map(({ length }) => new Uint8Array(length));
    const before = totalLength(present(parts));
    let position = start;
    for await (const chunk of chunks) {
      copyRanges(chunk, position, wanted, filled);
      position += chunk.length;
      onBytes(before + bytesBefore(position, wanted));
      for (const [n, i] of sent.entries()) {
        if (parts[i] || endOf([ranges[i]]) > position) continue;
        parts[i] = filled[n];
        await onPart(i, filled[n]);
      }
      if (position >= endOf(wanted)) return;
    }
    throw new PassingFailure(`${showUrl(url)} ended before its last wanted byte`, { code: 'TRUNCATED' });
  }).catch((error: unknown) => {
    // Failures are counted only while they bring nothing: another call goes on with what is still missing.
    if (error instanceof PassingFailure && present(parts).length > had) return;
    if (known === undefined || !(error instanceof WeightsError) || error.code !== 'WRONG_SIZE') throw error;
    // The file that the other parts are of was larger.
    const message = `${showUrl(url)} was replaced while it was read. ${error.message}`;
    throw new WeightsError('FILE_CHANGED', message, { option: 'weights', value: showUrl(url) });
  });
}

const present = (parts: FileParts['parts']) => parts.filter((part) => part !== undefined);

/** The next missing ranges that lie one after the other, as one. */
function nextRange({ ranges, parts }: FileParts): ByteRange {
  const first = parts.indexOf(undefined);
  const { offset } = ranges[first];
  let end = offset;
  for (let i = first; i < ranges.length && !parts[i] && ranges[i].offset === end; i++)
    end += ranges[i].length;
  return { offset, length: end - offset };
}

async function requireHash(bytes: Bytes, expected: string, url: string): Promise<void> {
  const found = await sha256(bytes);
  if (found === expected) return;
  const message = `${showUrl(url)} is not the expected file: its SHA-256 is ${found}, expected ${expected}.`;
  throw new WeightsError('WRONG_HASH', message, { option: 'weights', value: found, accepted: expected });
}
