import { oneOf } from '../../options/table';
import { type Precision, precisions } from './network/precision';

/** Options of `webgpu`. */
export interface WebgpuEngineOptions {
  /**
   * What convolutions multiply. `'float32'`, or `'mixed'`: operands are rounded to 16 bits, and sums of up to 16
   * products too; all further sums, losses, Gram matrices and the optimiser have 32. Faster where a GPU computes 16
   * bits faster, and less exact: a loss differs by some 1e-5 and its gradient by a hundredth, see docs/webgpu.md. Needs
   * a device with WebGPU's feature `shader-f16`, which `useWebgpu()` asks for and tfjs' own backend does not.
   * @default 'float32'
   */
  readonly precision?: 'float32' | 'mixed' | undefined;
  /**
   * By what each layer's way of computing a convolution is chosen: `'table'`, one of kinds of GPUs, or `'measured'`:
   * before the first evaluation of a run at a new size, the ways are timed on the device, in seconds at most on a GPU,
   * and what is found is kept in the cache of weights. Events `prepare` count the ways. Results differ in the last
   * digits.
   * @default 'table'
   */
  readonly tuning?: 'table' | 'measured' | undefined;
}

const tunings = ['table', 'measured'] as const;

/** By what the ways of convolutions are chosen. */
export const tuningOption = oneOf<(typeof tunings)[number], { default: 'table' }>(tunings, {
  default: 'table',
});

/** What convolutions multiply. */
export const precisionOption = oneOf<Precision, { default: Precision }>(precisions, { default: 'float32' });
