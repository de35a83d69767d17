/// <reference types="@webgpu/types" />
import type { Convolutions } from './convolutions';

const planeBytes = 64 * 2 ** 20;

/**
 * Graphics processors. Estimated from operations and traffic, not measured: F(2x2) moves no more memory than nine taps;
 * F(4x4) by planes moves 2.9 times as much, which its fewer products outweigh from some 256 channels on. Products of
 * 64 x 64 values in 64 invocations of 8 x 8 take some 120 registers and 9 KiB of a workgroup's memory.
 */
const graphics: Convolutions = {
  tile: { rows: 64, columns: 64, depth: 16, blockRows: 8, blockColumns: 8 },
  fused: true,
  planesFrom: 256,
  planeBytes,
};

/**
 * Processors that compute as a GPU would: the fewest products, by kernels of few invocations, which change places at
 * every barrier. Measured on SwiftShader, 64 channels of 64 x 64 positions: F(4x4) by planes 257 ms of processor time,
 * nine taps 577; with the tile of a GPU 217 and 364, but kernels then compile for three times as long.
 */
const software: Convolutions = {
  tile: { rows: 16, columns: 16, depth: 16, blockRows: 4, blockColumns: 4 },
  fused: false,
  planesFrom: 4,
  planeBytes,
};

/** What {@link convolutionsOf} goes by: fields of `GPUAdapterInfo`, of which pages hide some. */
export interface AdapterNames {
  readonly vendor: string;
  readonly architecture?: string | undefined;
  /** The name of the model. */
  readonly description?: string | undefined;
}

/** How an adapter's convolutions are computed. */
interface Adapter extends Pick<AdapterNames, 'vendor' | 'architecture'> {
  /** What the name of the model has. */
  readonly model?: RegExp;
  readonly convolutions: Convolutions;
}

/** Adapters that differ from other graphics processors; the first that fits counts. */
const adapters: readonly Adapter[] = [
  { vendor: 'google', architecture: 'swiftshader', convolutions: software },
  { vendor: 'mesa', architecture: 'software', convolutions: software },
  // By the same estimate planes pay earlier where there is much memory bandwidth for the arithmetic.
  // Dawn knows no architecture of these.
  { vendor: 'nvidia', model: /\b(GH200|H[12]00)\b/, convolutions: { ...graphics, planesFrom: 128 } },
];

/** How a device's convolutions are computed best. */
export function convolutionsOf(device: GPUDevice): Convolutions {
  // Not every browser tells a device's adapter.
  const { adapterInfo } = device as { readonly adapterInfo?: GPUAdapterInfo };
  if (!adapterInfo) return graphics;
  if (adapterInfo.isFallbackAdapter) return software;
  const known = adapters.find(
    ({ vendor, architecture, model }) =>
      vendor === adapterInfo.vendor &&
      (!architecture || architecture === adapterInfo.architecture) &&
      (!model || model.test(adapterInfo.description)),
  );
  return known?.convolutions ?? graphics;
}
