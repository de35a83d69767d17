import type * as tf from '@tensorflow/tfjs-core';
import { type SsimOfTensorsOptions, ssimOfTensors } from '../../src/metrics';
import type { ImageTensor } from '../../src/metrics/planes';
import { ssimByTensors } from '../../src/metrics/ssim-by-tensors';
import { ssimWindows } from '../../src/metrics/ssim-window';

interface SsimPath {
  readonly name: string;
  readonly backend: 'cpu' | 'wasm';
  readonly ssimOf: (a: ImageTensor, b: ImageTensor, options?: SsimOfTensorsOptions) => tf.Scalar;
}

/** The two implementations of `ssimOfTensors`: backends of Node choose the one on the host by themselves. */
export const ssimPaths: readonly SsimPath[] = [
  { name: 'on cpu', backend: 'cpu', ssimOf: ssimOfTensors },
  { name: 'on wasm', backend: 'wasm', ssimOf: ssimOfTensors },
  {
    name: 'by tensors, on cpu',
    backend: 'cpu',
    ssimOf: (a, b, { channels = 'luma', dataRange = 1, window = 'gaussian' } = {}) =>
      ssimByTensors(a, b, { channels, dataRange, window: ssimWindows[window] }),
  },
];
