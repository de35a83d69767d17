import { number, type Option } from '../../options/table';
import { requireNumber } from '../../options/validate';
import { requireRelaxedSimd } from '../../wasm-simd';
import { mostThreads } from './runtime/thread-count';

/** Options of `wasm`. */
export interface WasmEngineOptions {
  /**
   * Threads that compute: 1 to 8, or to the number of hardware threads of a processor with more (at most 64). With a
   * number, loading fails if they do not start; without, it continues with fewer threads and warns.
   * @default the processor's cores, at most 8; one, with a warning, if threads cannot share memory
   */
  readonly threads?: number | undefined;
  /**
   * Lets kernels round a * b + c once instead of twice: up to a fifth faster on some processors, but results then
   * differ in the last digits from one to another. Needs a browser that has relaxed SIMD, or Node 22. @default false
   */
  readonly relaxedSimd?: boolean | undefined;
}

/** Threads of the wasm engine. The range depends on the machine and is determined when a number is given. */
export const threadsOption = {
  ...number({
    min: 1,
    max: 64,
    integer: true,
    help: "threads that compute (default: the processor's cores, at most 8)",
    flag: '--threads <count>',
  }),
  require: (name: string, value: unknown) =>
    requireNumber(name, value, { min: 1, max: mostThreads(), integer: true }),
};

/** Whether kernels may round a * b + c once. */
export const relaxedSimdOption = {
  accepts: 'true or false',
  require: (_name: string, value: unknown) => requireRelaxedSimd(value),
  default: false,
  help: 'up to a fifth faster on some processors, between which last digits differ; needs Node 22',
  flag: '--relaxed-simd',
} satisfies Option<boolean>;
