import binary from '../../../../build/flow.wasm';
import { compileWasm } from '../../../compile-wasm';
import { EnvironmentError } from '../../../errors';
import { supportsSimd } from '../../../wasm-simd';
import type { KernelMemory } from '../runtime/kernel-memory';

/** A kernel of `assembly`: its arguments end with the width and the height of its first plane. */
export type FlowKernelName =
  | 'blur'
  | 'changes'
  | 'derivatives'
  | 'doubled'
  | 'everyOther'
  | 'keepWhereMoved'
  | 'medianOfNine'
  | 'shifted'
  | 'solve'
  | 'squares'
  | 'takeBetter';

/** The kernels over addresses of planes, and numbers. */
export type FlowKernels = Readonly<Record<FlowKernelName, (...values: number[]) => void>>;

/**
 * Starts the kernels over a memory, on the calling thread. They are a module of their own, so that only films load it.
 *
 * @throws EnvironmentError `NO_SIMD`, or `NO_WASM` if WebAssembly may not be compiled
 */
export async function startFlowKernels({ memory }: KernelMemory): Promise<FlowKernels> {
  const about = { option: 'flow', value: 'lucas-kanade' };
  if (!supportsSimd()) {
    const accepted = "a browser with WebAssembly and SIMD, or flow: 'none'";
    throw new EnvironmentError('NO_SIMD', `Optical flow needs ${accepted}.`, { ...about, accepted });
  }
  const accepted = "a policy of the page that has 'wasm-unsafe-eval', or flow: 'none'";
  const module = await compileWasm(binary, { ...about, accepted });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as FlowKernels;
}
