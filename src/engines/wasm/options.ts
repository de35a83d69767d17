import { number, type Option } from '../../options/table';
import { requireRelaxedSimd } from './runtime/wasm-simd';

/** Threads of the wasm engine. */
export const threadsOption = number({
  min: 1,
  max: 64,
  integer: true,
  help: "threads that compute (default: the processor's cores, at most 8)",
  flag: '--threads <count>',
});

/** Whether kernels may round a * b + c once. */
export const relaxedSimdOption = {
  accepts: 'true or false',
  require: (_name: string, value: unknown) => requireRelaxedSimd(value),
  default: false,
  help: 'up to a fifth faster on some processors, between which last digits differ; needs Node 22',
  flag: '--relaxed-simd',
} satisfies Option<boolean>;
