import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../allocation';
import { EnvironmentError } from '../errors';
import { showText } from '../options/show';
import { number, optionTable } from '../options/table';
import { createThreadedWasm, maxWasmThreads } from './threaded-wasm';
import { withoutProcessListeners } from './without-process-listeners';

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
  const wasm = await loadBackend();
  try {
    const running = tf.engine().registry.wasm;
    if (running ? wasm.getThreadsCount() !== threads : threads > 1) {
      if (running) requireIdle(running, threads);
      const backend = await withoutProcessListeners(() => createThreadedWasm(wasm, threads));
      // The kernels are registered for the backend named wasm and use one module at a time.
      tf.removeBackend('wasm');
      tf.registerBackend('wasm', () => backend, 2);
    }
    if (await withoutProcessListeners(() => tf.setBackend('wasm'))) {
      checkAllocations();
      return;
    }
  } catch (cause) {
    if (cause instanceof EnvironmentError) throw cause;
    throw notStarted(cause);
  }
  throw notStarted();
}

async function loadBackend() {
  try {
    return await import('@tensorflow/tfjs-backend-wasm');
  } catch (cause) {
    const version = tf.version_core;
    throw new EnvironmentError(
      'NO_BACKEND',
      `The wasm backend is not installed: npm install @tensorflow/tfjs-backend-wasm@${version}`,
      { option: 'backend', value: 'wasm', accepted: `@tensorflow/tfjs-backend-wasm ${version}`, cause },
    );
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

function notStarted(cause?: unknown): EnvironmentError {
  const reason = cause instanceof Error ? `: ${showText(cause.message, 200)}` : '';
  return new EnvironmentError('NO_BACKEND', `The wasm backend does not start here${reason}.`, {
    option: 'backend',
    value: 'wasm',
    accepted: 'a processor with SIMD; a program that is not bundled, or setWasmPaths() before',
    cause,
  });
}
