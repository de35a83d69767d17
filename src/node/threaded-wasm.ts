import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { afterRunningFor } from '../engines/wasm/runtime/running-time';
import { reasonOf, unavailable } from '../engines/wasm/runtime/start-worker';

/**
 * The runtime starts eight workers in advance and cannot wait for a ninth, so that nine threads would wait for ever.
 */
export const maxWasmThreads = 8;

/** Time for the start, of which only what the program itself is running counts. */
const startLimitMs = 30_000;

/**
 * tfjs' wasm backend with threads in Node. The package itself refuses them there by a check of the platform, not by
 * need: what follows is its own initialisation with the parts replaced that only pages have.
 *
 * @returns a backend, not yet registered; its `dispose()` ends the threads
 * @throws EnvironmentError `THREADS_UNAVAILABLE` if a thread does not start; those that have are ended
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

/** The package's threaded module with its workers, all of them or an error. */
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

      /** What the glue starts: its own listener for errors rethrows them, which would end the program. */
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
            // The glue has just made Node's class the global one.
            scope.Worker = PoolWorker;
            return workerUrl(wasmWorkerContents) as unknown as string;
          }
          wasmPath = folder + file;
          return wasmPath;
        },
        instantiateWasm(imports, receive) {
          // The runtime takes at most half of the cores that it is told of.
          imports.env.emscripten_num_logical_cores = () => 2 * threads;
          readFile(wasmPath)
            .then((bytes) => WebAssembly.instantiate(bytes, imports))
            .then(({ instance, module }) => receive(instance, module))
            .catch(reject);
          return {};
        },
      };
      // It throws where the first worker cannot be made, and rejects otherwise.
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
  // tfjs' own page version restores the line ends inside strings of the script in the same way. It loads the glue by
  // `eval`, which programs may forbid (`--disallow-code-generation-from-strings`); a script of Node's `vm` is the same
  // without it.
  const script = contents
    .replaceAll('\n', '\\n')
    .replace(
      '(0,eval)(fs.readFileSync(f,"utf8")+"//# sourceURL="+f)',
      'require("vm").runInThisContext(fs.readFileSync(f,"utf8"),f)',
    );
  const code = `import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
Object.assign(globalThis, { require: createRequire(process.cwd() + '/'), __filename: 'tfjs-wasm-worker' });
runInThisContext(${JSON.stringify(script)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
