import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { reasonOf, unavailable } from '../engines/wasm/runtime/start-worker';
import { afterRunningFor } from '../running-time';

/**
 * The runtime starts eight workers in advance and cannot wait for another, so nine threads would never return.
 */
export const maxWasmThreads = 8;

/** Limit for the start; time in which the program is suspended does not count. */
const startLimitMs = 30_000;

/**
 * tfjs' wasm backend with threads in Node. The package refuses them there by a check of the platform, not by need; this
 * function repeats the package's initialisation with replacements for the parts that only pages have.
 *
 * @returns a backend, not yet registered; its `dispose()` ends the threads
 * @throws EnvironmentError `THREADS_UNAVAILABLE` if a thread does not start; those started are ended
 */
export async function createThreadedWasm(
  wasm: { readonly BackendWasm: typeof BackendWasm; readonly setThreadsCount: typeof setThreadsCount },
  threads: number,
  limitMs = startLimitMs,
): Promise<BackendWasm> {
  const module = await startModule(threads, limitMs);
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

/** Starts the package's threaded module with all of its workers, or throws. */
async function startModule(threads: number, limitMs: number) {
  const [{ default: start }, { wasmWorkerContents }] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js'),
    import('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.worker.js'),
  ]);
  const scope = globalThis as { Worker?: unknown };
  const pageWorker = scope.Worker;
  const workers: Worker[] = [];
  let stopTimer = () => {};
  try {
    return await new Promise<Awaited<ReturnType<typeof start>>>((resolve, reject) => {
      const fail = (why: string, cause?: unknown) => reject(unavailable(why, cause));
      stopTimer = afterRunningFor(limitMs, () => fail(`did not answer within ${limitMs / 1000} seconds`));

      /**
       * The class of workers for the glue code, without its listener that rethrows errors, which would end the program.
       */
      class PoolWorker extends Worker {
        constructor(url: string | URL) {
          super(url);
          workers.push(this);
          super.on('error', (cause) => fail(`failed: ${reasonOf(cause)}`, cause));
          super.on('exit', (code) => fail(`ended with exit code ${code}`));
        }

        override on(event: string, listener: (...values: never[]) => void): this {
          return event === 'error' ? this : super.on(event, listener as (...values: unknown[]) => void);
        }
      }

      let wasmPath = '';
      const settings: Parameters<typeof start>[0] = {
        locateFile(file, folder) {
          if (file.endsWith('.worker.js')) {
            // The glue has just set the global `Worker` to Node's class.
            scope.Worker = PoolWorker;
            return workerUrl(wasmWorkerContents) as unknown as string;
          }
          wasmPath = folder + file;
          return wasmPath;
        },
        instantiateWasm(imports, receive) {
          // The runtime uses at most half of the number of cores that this returns.
          imports.env.emscripten_num_logical_cores = () => 2 * threads;
          readFile(wasmPath)
            .then((bytes) => WebAssembly.instantiate(bytes, imports))
            .then(({ instance, module }) => receive(instance, module))
            .catch(reject);
          return {};
        },
      };
      // `start` throws synchronously if the first worker cannot be created, and rejects in other cases.
      (async () => start(settings))().then(resolve, (cause) =>
        fail(`cannot be started: ${reasonOf(cause)}`, cause),
      );
    });
  } catch (error) {
    for (const worker of workers) void worker.terminate();
    throw error;
  } finally {
    stopTimer();
    scope.Worker = pageWorker;
  }
}

/** The package's worker is a CommonJS script with `require`; a `data:` URL spares shipping it as a file. */
function workerUrl(contents: string): URL {
  // Restores line ends inside strings of the script, as tfjs does in pages. The script loads the glue by `eval`, which
  // programs may forbid (`--disallow-code-generation-from-strings`); a script of Node's `vm` does the same without it.
  const script = contents
    .replaceAll('\n', '\\n')
    .replace(
      '(0,eval)(fs.readFileSync(f,"utf8")+"//# sourceURL="+f)',
      'require("vm").runInThisContext(fs.readFileSync(f,"utf8"),f)',
    );
  // The script sets `location`, which is read-only in Deno's workers.
  const code = `import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
Object.defineProperty(globalThis, 'location', { writable: true, configurable: true, value: undefined });
Object.assign(globalThis, { require: createRequire(process.cwd() + '/'), __filename: 'tfjs-wasm-worker' });
runInThisContext(${JSON.stringify(script)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
