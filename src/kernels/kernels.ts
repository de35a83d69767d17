import bytes from '../../build/kernels.wasm';
import { withSharedMemory } from './share-memory';

/** What a kernel is called with: where its arguments lie, which item of its work to do, and where its scratch memory lies. */
export type Kernel = (args: number, item: number, scratch: number) => void;

/** The kernels of src/kernels/assembly. */
export const kernelNames = [
  'add',
  'convolve',
  'distance',
  'firstBackward',
  'firstForward',
  'gramBackward',
  'gramForward',
  'patchProducts',
  'poolBackward',
] as const;

/** A kernel of src/kernels/assembly by name. */
export type KernelName = (typeof kernelNames)[number];

/** What the wasm module exports. */
export type KernelExports = Readonly<Record<KernelName, Kernel>> & {
  /** Kernel [3][3][k][n] at an address to filters of `convolve` at another; `temp` has room for 54 doubles. */
  transformFilters(kernel: number, k: number, n: number, planes: number, temp: number): void;
};

/** The kernels as a module that imports a memory, shared between threads or not. */
export function compileKernels(shared: boolean): Promise<WebAssembly.Module> {
  return WebAssembly.compile(shared ? withSharedMemory(bytes) : bytes);
}
