import type { KernelMemory } from '../runtime/kernel-memory';
import type { Activation, FeatureMap, Norm, Value } from './graph';

/** Where a map lies. */
export interface PlacedMap {
  /** Of the first row of the whole map, which need not be in memory itself. */
  readonly address: number;
  readonly height: number;
  readonly width: number;
}

/** Addresses of what readers read. */
export interface Places {
  map(map: FeatureMap): PlacedMap;
  /** The factors and summands of a norm. */
  norm(norm: Norm): number;
  /** The factors and summands that convert the image to the network's input. */
  readonly input: number;
  readonly image: FeatureMap;
}

/** Bytes of a reader. */
export const readerBytes = 64;

/** Values after which the channels of consecutive pixels are at the same place in a vector. */
export const periodOf = (stored: number): number => (stored === 3 ? 12 : stored);

/** Writes a value as the kernels read it (assembly/reader.ts). */
export function writeReader(memory: KernelMemory, address: number, value: Value, places: Places): void {
  const { stored } = value[0].term.map;
  const { height, width } = extentOf(value, places);
  const integers = memory.integers(address, readerBytes / 4).fill(0);
  const floats = memory.floats(address, readerBytes / 4);
  integers.set([height, width, stored, periodOf(stored)]);
  for (const [i, { term, doubled }] of value.entries()) {
    const at = 4 + 5 * i;
    integers.set(
      [places.map(term.map).address, affineOf(term.map, term.norm, places), activationCode(term.activation)],
      at,
    );
    floats[at + 3] = term.activation?.slope ?? 0;
    integers[at + 4] = Number(doubled);
  }
}

/** Writes a reader of a map as it is. */
export function writePlainReader(
  memory: KernelMemory,
  address: number,
  map: number,
  { height, width, stored }: { readonly height: number; readonly width: number; readonly stored: number },
): void {
  memory
    .integers(address, readerBytes / 4)
    .fill(0)
    .set([height, width, stored, stored, map]);
}

/** Height and width of a value. */
export function extentOf(
  [{ term, doubled }]: Value,
  places: Pick<Places, 'map'>,
): {
  readonly height: number;
  readonly width: number;
} {
  const { height, width } = places.map(term.map);
  const factor = doubled ? 2 : 1;
  return { height: factor * height, width: factor * width };
}

/** A function as the kernels number it. */
export const activationCode = (activation: Activation | undefined): number =>
  activation ? 1 + ['relu', 'leakyRelu', 'sigmoid', 'tanh'].indexOf(activation.kind) : 0;

function affineOf(map: FeatureMap, norm: Norm | undefined, { norm: normOf, input, image }: Places): number {
  if (norm) return normOf(norm);
  return map === image ? input : 0;
}
