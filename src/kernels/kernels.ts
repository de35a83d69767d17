import bytes from '../../build/kernels.wasm';

/** What a kernel is called with: where its arguments lie, which item of its work to do, and where its scratch memory lies. */
export type Kernel = (args: number, item: number, scratch: number) => void;

/** The kernels of src/kernels/assembly by name. */
export type KernelName =
  | 'add'
  | 'convolve'
  | 'distance'
  | 'firstBackward'
  | 'firstForward'
  | 'gramBackward'
  | 'gramForward'
  | 'poolBackward'
  | 'poolForward';

/** What the wasm module exports. */
export type KernelExports = Readonly<Record<KernelName, Kernel>> & {
  /** Kernel [3][3][k][n] at an address to filters of `convolve` at another; `temp` has room for 54 doubles. */
  transformFilters(kernel: number, k: number, n: number, planes: number, temp: number): void;
};

/** Instantiates the kernels over a memory. */
export async function instantiateKernels(memory: WebAssembly.Memory): Promise<KernelExports> {
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return instance.exports as unknown as KernelExports;
}
