import { readFile } from 'node:fs/promises';
import type { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';

/** The runtime starts eight workers in advance and cannot wait for a ninth, so that nine threads would wait for ever. */
export const maxWasmThreads = 8;

/**
 * tfjs' wasm backend with threads in Node. The package itself refuses them there by a check of the platform, not by need: what follows
 * is its own initialisation with the parts replaced that only pages have.
 *
 * @returns a backend, not yet registered; its `dispose()` ends the threads
 */
export async function createThreadedWasm(
  wasm: { readonly BackendWasm: typeof BackendWasm; readonly setThreadsCount: typeof setThreadsCount },
  threads: number,
): Promise<BackendWasm> {
  const [{ default: start }, { wasmWorkerContents }] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js'),
    import('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.worker.js'),
  ]);
  let wasmPath = '';
  const module = await start({
    locateFile(file, folder) {
      if (file.endsWith('.worker.js')) return workerUrl(wasmWorkerContents) as unknown as string;
      wasmPath = folder + file;
      return wasmPath;
    },
    instantiateWasm(imports, receive) {
      // The runtime takes at most half of the cores that it is told of.
      imports.env.emscripten_num_logical_cores = () => 2 * threads;
      readFile(wasmPath)
        .then((bytes) => WebAssembly.instantiate(bytes, imports))
        .then(({ instance, module }) => receive(instance, module));
      return {};
    },
  });
  module.tfjs = {
    init: module.cwrap('init', null, []),
    initWithThreadsCount: module.cwrap('init_with_threads_count', null, ['number']),
    getThreadsCount: module.cwrap('get_threads_count', 'number', []),
    registerTensor: module.cwrap('register_tensor', null, ['number', 'number', 'number']),
    disposeData: module.cwrap('dispose_data', null, ['number']),
    dispose: module.cwrap('dispose', null, []),
  };
  wasm.setThreadsCount(threads);
  const backend = new wasm.BackendWasm(module);
  // Idle threads must not keep the program from ending.
  for (const worker of module.PThread.runningWorkers) worker.unref();
  return backend;
}

/** The package's worker is a CommonJS script with `require`; a `data:` URL spares shipping it as a file. */
function workerUrl(contents: string): URL {
  // tfjs' own page version restores the line ends inside strings of the script in the same way.
  const script = JSON.stringify(contents.replaceAll('\n', '\\n'));
  const code = `import { createRequire } from 'node:module';
Object.assign(globalThis, { require: createRequire(process.cwd() + '/'), __filename: 'tfjs-wasm-worker' });
(0, eval)(${script});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
