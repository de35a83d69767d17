import { WeightsError } from '../errors';
import { showText } from '../options/show';
import {
  type ByteStore,
  type Bytes,
  bytesBefore,
  copyRanges,
  endOf,
  type ReadBytesOptions,
  totalLength,
} from '../storage/byte-store';
import type { ProgressMeter } from '../storage/progress';
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
      async read(tensors, meter, reading) {
        const read = new Map<StoredTensor, Bytes>();
        let loaded = 0;
        for (const group of groups) {
          const wanted = tensors.filter((tensor) => group.tensors.includes(tensor));
          const before = loaded;
          const parts = await readGroup(
            store,
            group,
            wanted,
            (file, bytes) => meter(file, before + bytes),
            reading,
          );
          for (const [i, part] of parts.entries()) read.set(wanted[i], part);
          loaded += totalLength(parts);
        }
        return read;
      },
    };
  };
}

/** The topology of VGG-19 takes 20 KB, a manifest with int8 scales 100 KB. */
const maxModelJson = 2 ** 23;

/**
 * Reads tensors of a group. A model.json does not state the sizes of its files, so they are read from the first to the
 * one with the last wanted byte. Layers are stored in the order of computation: the first are those that are needed.
 */
async function readGroup(
  store: ByteStore,
  group: WeightGroup,
  wanted: readonly StoredTensor[],
  meter: ProgressMeter,
  options: ReadBytesOptions,
): Promise<readonly Bytes[]> {
  const parts = wanted.map(({ length }) => new Uint8Array(length));
  let start = 0;
  for (const [index, file] of group.paths.entries()) {
    if (start >= endOf(wanted)) break;
    const rest = group.totalBytes - start;
    const onBytes = (loaded: number) => meter(file, bytesBefore(start + loaded, wanted));
    const shard = await store.read(file, rest, { ...options, onBytes });
    requireShardSize(file, shard.length, rest, index === group.paths.length - 1, store);
    onBytes(shard.length);
    copyRanges(shard, start, wanted, parts);
    start += shard.length;
  }
  return parts;
}

function requireShardSize(file: string, size: number, rest: number, last: boolean, store: ByteStore): void {
  if (last ? size === rest : size <= rest) return;
  const accepted = `${last ? '' : 'at most '}${rest} bytes`;
  const message =
    `${showText(file)} in ${store.name} has ${size} bytes; expected ${accepted}, ` +
    'so it does not belong to this model.json or is not complete.';
  throw new WeightsError('WRONG_SIZE', message, { option: file, value: size, accepted });
}
