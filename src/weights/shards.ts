import { WeightsError } from '../errors';
import type { ReadWeightsOptions } from '../features/vgg19/source';
import type { ByteRange, ByteStore, Bytes } from '../storage/byte-store';
import type { ProgressMeter } from '../storage/progress-meter';
import type { StoredTensor, WeightGroup } from './model-json';

/**
 * Reads tensors of a group out of the files that the group was cut into, and of these only what is needed, in ascending order.
 * A model.json does not say how large its shards are: one that starts with a needed byte is read, which tells; one that may end
 * before the next needed byte is asked for its size first.
 */
export async function* readGroup(
  store: ByteStore,
  group: WeightGroup,
  tensors: readonly StoredTensor[],
  meter: ProgressMeter,
  options: ReadWeightsOptions,
): AsyncGenerator<readonly [StoredTensor, Bytes]> {
  const wanted = [...tensors].sort((a, b) => a.offset - b.offset);
  const end = wanted.reduce((last, { offset, length }) => Math.max(last, offset + length), 0);
  const assembly = new Assembly(wanted);
  let start = 0;
  for (const [index, file] of group.paths.entries()) {
    if (start >= end) break;
    const rest = group.totalBytes - start;
    const only = group.paths.length === 1;
    const next = wanted.find((tensor) => tensor.offset + tensor.length > start)?.offset ?? end;
    let size = only ? rest : undefined;
    if (!store.prefersWhole(file, size) || (!only && next > start)) size = await store.size(file, options);
    let whole: Bytes | undefined;
    if (size === undefined || (store.prefersWhole(file, size) && start + size > next)) {
      const expected = piecesWithin(wanted, start, start + rest);
      const onBytes = (loaded: number) => meter.report(file, bytesBefore(expected, loaded));
      whole = await store.read(file, Math.min(rest, maxWholeShard), { ...options, onBytes });
      size = whole.length;
    }
    requireShardSize(file, size, rest, index === group.paths.length - 1, store);
    const pieces = piecesWithin(wanted, start, start + size);
    const reading = { ...options, onBytes: (loaded: number) => meter.report(file, loaded) };
    const chunks = whole ? slices(whole, pieces) : store.readRanges(file, pieces, reading);
    for await (const chunk of chunks) {
      meter.finish(file, chunk.length);
      const tensor = assembly.add(chunk);
      if (tensor) yield tensor;
    }
    start += size;
  }
}

/** Shards have a few MB; the limit keeps a server from filling the memory. */
const maxWholeShard = 2 ** 26;

/** The parts of a file, which spans [start, end) of its group, that belong to wanted tensors. */
function piecesWithin(wanted: readonly StoredTensor[], start: number, end: number): ByteRange[] {
  return wanted.flatMap((tensor) => {
    const from = Math.max(tensor.offset, start);
    const to = Math.min(tensor.offset + tensor.length, end);
    return from < to ? [{ offset: from - start, length: to - from }] : [];
  });
}

/** How many bytes of the pieces lie among a file's first `loaded`. */
function bytesBefore(pieces: readonly ByteRange[], loaded: number): number {
  return pieces.reduce((sum, { offset, length }) => sum + Math.min(length, Math.max(0, loaded - offset)), 0);
}

function* slices(whole: Bytes, pieces: readonly ByteRange[]): Generator<Bytes> {
  for (const { offset, length } of pieces) yield whole.subarray(offset, offset + length);
}

/** Puts tensors together from chunks that come in order. A tensor that is one chunk is not copied. */
class Assembly {
  private position = 0;
  private partial: Bytes | undefined;
  private filled = 0;

  constructor(private readonly wanted: readonly StoredTensor[]) {}

  /** The tensor that the chunk completes, if it completes one. */
  add(chunk: Bytes): readonly [StoredTensor, Bytes] | undefined {
    const tensor = this.wanted[this.position];
    if (!this.partial && chunk.length === tensor.length) {
      this.position++;
      return [tensor, chunk];
    }
    this.partial ??= new Uint8Array(tensor.length);
    this.partial.set(chunk, this.filled);
    this.filled += chunk.length;
    if (this.filled < tensor.length) return undefined;
    const complete = this.partial;
    this.partial = undefined;
    this.filled = 0;
    this.position++;
    return [tensor, complete];
  }
}

function requireShardSize(file: string, size: number, rest: number, last: boolean, store: ByteStore): void {
  if (last ? size === rest : size <= rest) return;
  const accepted = `${last ? '' : 'at most '}${rest} bytes`;
  throw new WeightsError(
    'WRONG_SIZE',
    `${file} in ${store.name} has ${size} bytes; expected ${accepted}, so it does not belong to this model.json or is not complete.`,
    { option: file, value: size, accepted },
  );
}
