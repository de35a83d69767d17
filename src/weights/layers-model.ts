import { WeightsError } from '../errors';
import { showText } from '../options/show';
import {
  type ByteRange,
  type ByteStore,
  type Bytes,
  type ReadBytesOptions,
  totalLength,
} from '../storage/byte-store';
import type { ProgressMeter } from '../storage/progress';
import { RangePicker } from '../storage/range-picker';
import { parseModelJson, type WeightGroup } from './model-json';
import { type OpenTensorFile, type StoredTensor, tensorsByName } from './tensor-file';

/** A TensorFlow.js layers model: `model.json` and the files with weights that it names. */
export function openLayersModel(store: ByteStore): OpenTensorFile {
  return async (options) => {
    const file = store.entry ?? 'model.json';
    const bytes = await store.read(file, maxModelJson, options);
    const source = `${showText(file)} in ${store.name}`;
    const { groups, convention, network } = parseModelJson(new TextDecoder().decode(bytes), source);
    return {
      tensors: tensorsByName(groups.flatMap(({ tensors }) => tensors)),
      convention,
      network,
      async *read(tensors, meter, reading) {
        for (const group of groups) {
          const wanted = tensors.filter((tensor) => group.tensors.includes(tensor));
          if (wanted.length > 0) yield* await readGroup(store, group, wanted, meter, reading);
        }
      },
    };
  };
}

/** The topology of VGG-19 takes 20 KB, a manifest with int8 scales 100 KB. */
const maxModelJson = 2 ** 23;

/** Shards have a few MB; the limit bounds the memory that a server can make the reader use. */
const maxWholeShard = 2 ** 26;

/**
 * Reads tensors of a group, in the order of their offsets, with only the needed bytes of the group's files. A
 * model.json does not state the sizes of files. A file that starts with a needed byte may be read whole, which gives
 * its size; for a file that may end before the next needed byte, the size is requested first.
 */
async function readGroup(
  store: ByteStore,
  group: WeightGroup,
  wanted: readonly StoredTensor[],
  meter: ProgressMeter,
  options: ReadBytesOptions,
): Promise<(readonly [StoredTensor, Bytes])[]> {
  const picker = new RangePicker(wanted);
  let start = 0;
  for (const [index, file] of group.paths.entries()) {
    if (picker.done) break;
    const rest = group.totalBytes - start;
    const next = Math.max(start, wanted[picker.complete.length].offset);
    const only = group.paths.length === 1;
    const readsWhole = store.prefersWhole(file, only ? rest : undefined) && (only || next === start);
    let size = readsWhole ? undefined : await store.size(file, options);
    let whole: Bytes | undefined;
    if (size === undefined || (store.prefersWhole(file, size) && start + size > next)) {
      const expected = piecesWithin(wanted, start, start + rest);
      const onBytes = (loaded: number) => meter.report(file, bytesBefore(expected, loaded));
      whole = await store.read(file, Math.min(rest, maxWholeShard), { ...options, onBytes });
      size = whole.length;
    }
    requireShardSize(file, size, rest, index === group.paths.length - 1, store);
    const pieces = piecesWithin(wanted, start, start + size);
    if (whole) picker.add(whole, start);
    else if (pieces.length > 0) {
      const onBytes = (loaded: number) => meter.report(file, loaded);
      let i = 0;
      for await (const bytes of store.readRanges(file, pieces, { ...options, onBytes }))
        picker.add(bytes, start + pieces[i++].offset);
    }
    meter.finish(file, totalLength(pieces));
    start += size;
  }
  return picker.complete.map((bytes, i) => [wanted[i], bytes]);
}

/** The parts of a file, which spans [start, end) of its group, that belong to wanted tensors. */
function piecesWithin(wanted: readonly StoredTensor[], start: number, end: number): ByteRange[] {
  return wanted.flatMap((tensor) => {
    const from = Math.max(tensor.offset, start);
    const to = Math.min(tensor.offset + tensor.length, end);
    return from < to ? [{ offset: from - start, length: to - from }] : [];
  });
}

/** Number of the pieces' bytes among the first `loaded` bytes of a file. */
function bytesBefore(pieces: readonly ByteRange[], loaded: number): number {
  return pieces.reduce((sum, { offset, length }) => sum + Math.min(length, Math.max(0, loaded - offset)), 0);
}

function requireShardSize(file: string, size: number, rest: number, last: boolean, store: ByteStore): void {
  if (last ? size === rest : size <= rest) return;
  const accepted = `${last ? '' : 'at most '}${rest} bytes`;
  const message =
    `${showText(file)} in ${store.name} has ${size} bytes; expected ${accepted}, ` +
    'so it does not belong to this model.json or is not complete.';
  throw new WeightsError('WRONG_SIZE', message, { option: file, value: size, accepted });
}
