import * as tf from '@tensorflow/tfjs-core';
import type { TensorLimit } from '../../backends/tensor-limit';
import type { LayerName } from '../../features/layer-name';
import { isPool, type NetworkStep } from '../../features/network';
import type { Size } from '../shared/fitting-size';

/** Bytes of the feature maps of a network at an image. */
export interface MapBytes {
  /** Maps that a linearization holds until its backward pass. */
  readonly held: number;
  /** The largest map. */
  readonly largest: number;
  /** Temporary memory of the backend's convolution. */
  readonly convolution: number;
  /** The map of a layer, `'image'` included. */
  of(layer: LayerName): number;
}

/** The shape of a layer's feature map, [1, height, width, channels], at an image's size. */
export function mapShape(
  steps: readonly NetworkStep[],
  [height, width]: Size,
  layer: LayerName,
): [number, number, number, number] {
  let shape: [number, number, number, number] = [1, height, width, 3];
  for (const step of steps.slice(0, steps.findIndex(({ name }) => name === layer) + 1)) {
    const [, h, w, c] = shape;
    if (step.op === 'conv') shape = [1, h, w, step.channelsOut];
    else if (isPool(step)) shape = [1, Math.floor(h / 2), Math.floor(w / 2), c];
  }
  return shape;
}

/**
 * Bytes of the maps that `linearize` of the tfjs engine makes for the layers `wanted`: it holds what was requested, the
 * outputs of ReLUs, and inputs and outputs of max poolings.
 */
export function mapBytes(steps: readonly NetworkStep[], wanted: readonly LayerName[], size: Size): MapBytes {
  const of = (layer: LayerName): number =>
    4 * mapShape(steps, size, layer).reduce((product, extent) => product * extent, 1);
  const last = steps.findLastIndex(({ name }) => wanted.includes(name));
  const held = new Set<LayerName>();
  let largest = of('image');
  for (const [i, { op, name }] of steps.slice(0, last + 1).entries()) {
    largest = Math.max(largest, of(name));
    const before = steps[i - 1];
    const requested = wanted.includes(name);
    // A ReLU is fused into the convolution before it unless that is requested; then its mask is taken from its input.
    const fused = op === 'relu' && before?.op === 'conv' && !wanted.includes(before.name);
    if (requested || fused || op === 'maxPool') held.add(name);
    if (before && (op === 'maxPool' || (op === 'relu' && !fused))) held.add(before.name);
  }
  const [height, width] = size;
  // Undefined where no backend has started.
  const addresses = String(tf.getBackend()).startsWith('wasm') ? 4 * addressesOfPosition * height * width : 0;
  // A copy of the first convolution's input with a border along two sides, and one of that along all four.
  const first = steps.find((step) => step.op === 'conv');
  const bordered = first && (first.padding ?? 'zero') !== 'zero';
  const convolution = addresses + (bordered ? 8 * first.channelsIn * (height + 2) * (width + 2) : 0);
  return { held: [...held].reduce((sum, layer) => sum + of(layer), 0), largest, convolution, of };
}

/** Whether a backend holds every map of a network up to the layers `wanted`, forward and backward. */
export function holdsMaps(
  limit: TensorLimit | undefined,
  steps: readonly NetworkStep[],
  wanted: readonly LayerName[],
  size: Size,
): boolean {
  if (!limit) return true;
  const last = steps.findLastIndex(({ name }) => wanted.includes(name));
  const holds = (layer: LayerName, convolved: boolean) => {
    const [, height, width, channels] = mapShape(steps, size, layer);
    return limit.holds(height, width, channels, convolved);
  };
  return steps.slice(0, last + 1).every(({ op, name }, i) => {
    const before = steps[i - 1]?.name ?? 'image';
    // Forward a convolution reads its input, backward the gradient of its output.
    return holds(before, op === 'conv') && holds(name, op === 'conv');
  });
}

/** Addresses of inputs that XNNPACK keeps for each position of a 3x3 convolution's output. */
const addressesOfPosition = 9;
