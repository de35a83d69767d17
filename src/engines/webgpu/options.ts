import { oneOf } from '../../options/table';
import { type Precision, precisions } from './network/convolutions';

/** Options of `webgpu`. */
export interface WebgpuEngineOptions {
  /**
   * What convolutions multiply. `'float32'`, or `'mixed'`: operands are rounded to 16 bits, and sums of up to 16
   * products too; all further sums, losses, Gram matrices and the optimiser have 32. Faster where a GPU computes 16 bits
   * faster, and less exact: a loss differs by about 1e-4, see docs/webgpu.md. Needs a device with WebGPU's feature
   * `shader-f16`, which `useWebgpu()` asks for and tfjs' own backend does not.
   * @default 'float32'
   */
  readonly precision?: Precision | undefined;
}

/** What convolutions multiply. */
export const precisionOption = oneOf<Precision, { default: Precision }>(precisions, { default: 'float32' });
