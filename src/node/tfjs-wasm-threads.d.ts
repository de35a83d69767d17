/** Files inside the package that it has no (or not these) types for. */
declare module '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js' {
  import type { Worker } from 'node:worker_threads';
  import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

  type Module = Exclude<BackendWasm['wasm'], null>;
  type Wrapped = (...numbers: number[]) => never;
  const start: (settings: {
    locateFile(file: string, folder: string): string;
    instantiateWasm(
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ): object;
  }) => Promise<
    Module & {
      cwrap(name: string, returns: 'number' | null, parameters: readonly 'number'[]): Wrapped;
      PThread: { readonly runningWorkers: readonly Worker[] };
    }
  >;
  export default start;
}
declare module '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.worker.js' {
  export const wasmWorkerContents: string;
}
