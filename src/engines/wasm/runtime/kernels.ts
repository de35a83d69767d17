import strict from '../../../../build/kernels.wasm';
import { withSharedMemory } from './share-memory';

/** What a kernel is called with: where its arguments lie, which item of its work to do, and where its scratch memory lies. */
export type Kernel = (args: number, item: number, scratch: number) => void;

/** The kernels of the `assembly` folders. */
export const kernelNames = [
  'add',
  'combine',
  'convolve',
  'distance',
  'divideByRoot',
  'enlarge',
  'firstBackward',
  'firstForward',
  'firstGramForward',
  'freeMask',
  'gramBackward',
  'gramDistance',
  'gramForward',
  'halve',
  'innerProducts',
  'largest',
  'multiplyComponents',
  'patchProducts',
  'poolBackward',
  'project',
  'projectedGradient',
  'variation',
] as const;

/** A kernel by name. */
export type KernelName = (typeof kernelNames)[number];

/** What the wasm module exports. */
export type KernelExports = Readonly<Record<KernelName, Kernel>> & {
  /** Kernel [3][3][k][n] at an address to filters of `convolve` at another; `temp` has room for 54 doubles. */
  transformFilters(kernel: number, k: number, n: number, planes: number, temp: number): void;
};

/** Which build of the kernels. */
export interface KernelBuild {
  /** Whether threads share the memory that the module imports. */
  readonly shared: boolean;
  /** Whether a * b + c may be rounded once. @default false */
  readonly relaxed?: boolean;
}

/** The kernels as a module that imports a memory. The relaxed ones need `supportsRelaxedSimd()`. */
export async function compileKernels({ shared, relaxed = false }: KernelBuild): Promise<WebAssembly.Module> {
  const bytes = relaxed ? (await import('../../../../build/kernels-relaxed.wasm')).default : strict;
  return WebAssembly.compile(shared ? withSharedMemory(bytes) : bytes);
}
