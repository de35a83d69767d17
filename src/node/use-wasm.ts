import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { activateWasm, importWasmBackend, notStarted, type WasmBackend } from '../backends/wasm-backend';
import { withoutProcessListeners } from '../backends/without-process-listeners';
import { EnvironmentError } from '../errors';
import { number, optionTable } from '../options/table';
import { createThreadedWasm, maxWasmThreads } from './threaded-wasm';

/** Options of {@link useWasm}. */
export interface UseWasmOptions {
  /**
   * Number of threads, 1 to 8; results do not depend on it. More threads than cores are not faster.
   * @default 1
   */
  readonly threads?: number | undefined;
}

const useWasmOptions = optionTable<UseWasmOptions>()('useWasm', {
  threads: number({ min: 1, max: maxWasmThreads, integer: true, default: 1 }),
});

/**
 * Makes `wasm` the active backend of TensorFlow.js in Node, optionally with threads, which the backend by itself
 * supports only in pages. These are the threads of tfjs; the kernels of this library, which compute the network on this
 * backend, have threads of their own. The threads do not keep the program from ending.
 *
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @throws EnvironmentError `NO_BACKEND` if `@tensorflow/tfjs-backend-wasm` is not installed or does not start,
 * `THREADS_UNAVAILABLE` if the threads do not start, `BACKEND_IN_USE` if wasm already runs with another number of
 * threads and holds tensors, which a restart would lose
 * @example
 * ```ts
 * await useWasm({ threads: 4 });
 * ```
 */
export async function useWasm(options: UseWasmOptions = {}): Promise<void> {
  const { threads } = useWasmOptions.read(options);
  const wasm = await importWasmBackend();
  const running = tf.engine().registry.wasm;
  if (running ? wasm.getThreadsCount() !== threads : threads > 1) {
    if (running) requireIdle(running, threads);
    const backend = await startThreads(wasm, threads);
    // The kernels are registered for the backend named wasm and use one module at a time.
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', () => backend, 2);
  }
  await activateWasm(remedies);
}

const remedies = 'a processor with SIMD; a program that is not bundled, or setWasmPaths() before';

async function startThreads(wasm: WasmBackend, threads: number): Promise<BackendWasm> {
  try {
    return await withoutProcessListeners(() => createThreadedWasm(wasm, threads));
  } catch (cause) {
    throw cause instanceof EnvironmentError ? cause : notStarted(remedies, cause);
  }
}

function requireIdle(running: tf.KernelBackend, threads: number): void {
  const tensors = running.numDataIds();
  if (tensors === 0) return;
  throw new EnvironmentError(
    'BACKEND_IN_USE',
    `The wasm backend already runs and holds ${tensors} tensors, which starting it again with ${threads} threads would lose; call useWasm() before anything else, or dispose them first.`,
    { option: 'threads', value: threads, accepted: 'a call before tensors are made' },
  );
}
