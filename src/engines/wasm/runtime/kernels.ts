import strict from '../../../../build/kernels.wasm';
import { compileWasm } from '../../../compile-wasm';
import { withSharedMemory } from './share-memory';

/**
 * One item of a kernel's work.
 * @param args address of the arguments
 * @param item number of the item, from 0
 * @param scratch address of memory that belongs to the calling thread
 */
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
  'generatorConvolution',
  'generatorFilters',
  'generatorFold',
  'generatorMoments',
  'generatorNested',
  'generatorOutput',
  'generatorOutputGradient',
  'generatorPool',
  'generatorStore',
  'generatorTermGradient',
  'generatorTermSums',
  'generatorTotal',
  'generatorUnpool',
  'generatorWinograd',
  'gramBackward',
  'gramDistance',
  'gramForward',
  'gramTotal',
  'halve',
  'histogramDistance',
  'innerProducts',
  'invertPositive',
  'largest',
  'largestProjected',
  'maskedDistance',
  'momentsBackward',
  'momentsForward',
  'multiplyComponents',
  'pack',
  'packedProducts',
  'patchProducts',
  'poolBackward',
  'project',
  'sumInverses',
  'variation',
] as const;

/** A kernel by name. */
export type KernelName = (typeof kernelNames)[number];

/** Exports of the wasm module. */
export type KernelExports = Readonly<Record<KernelName, Kernel>> & {
  /** Kernel [3][3][k][n] at an address to filters of `convolve` at another; `temp` has room for 54 doubles. */
  transformFilters(kernel: number, k: number, n: number, planes: number, temp: number): void;
};

/** A build of the kernels. */
export interface KernelBuild {
  /** Whether threads share the memory that the module imports. */
  readonly shared: boolean;
  /** Whether a * b + c may be rounded once. @default false */
  readonly relaxed?: boolean | undefined;
}

/**
 * The kernels as a module that imports a memory. The relaxed ones need `supportsRelaxedSimd()`.
 *
 * @throws EnvironmentError `NO_WASM` if WebAssembly may not be compiled
 */
export async function compileKernels({ shared, relaxed = false }: KernelBuild): Promise<WebAssembly.Module> {
  const bytes = relaxed ? (await import('../../../../build/kernels-relaxed.wasm')).default : strict;
  const accepted =
    "a policy of the page that has 'wasm-unsafe-eval', or engine 'tfjs' on a backend other than wasm";
  return compileWasm(shared ? withSharedMemory(bytes) : bytes, { option: 'engine', value: 'wasm', accepted });
}
