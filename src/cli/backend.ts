import * as tf from '@tensorflow/tfjs-core';
import { type EngineChoice, enginesFor } from '../engines/engine-options';
import { physicalCores } from '../engines/wasm/runtime/physical-cores';
import { EnvironmentError, InvalidArgumentError } from '../errors';
import { maxWasmThreads } from '../node/threaded-wasm';
import { useTfjsNode } from '../node/use-tfjs-node';
import { useWasm } from '../node/use-wasm';

/** Makes a backend active. @returns its number of threads; undefined if the backend does not tell */
type Start = (threads: number) => Promise<number | undefined>;

const starts = {
  async wasm(threads: number) {
    await useWasm({ threads });
    return threads;
  },
  async cpu() {
    try {
      await import('@tensorflow/tfjs-backend-cpu');
    } catch (cause) {
      const accepted = `@tensorflow/tfjs-backend-cpu ${tf.version_core}`;
      throw new EnvironmentError(
        'NO_BACKEND',
        `The cpu backend is not installed: npm install @tensorflow/tfjs-backend-cpu@${tf.version_core}`,
        { option: 'backend', value: 'cpu', accepted, cause },
      );
    }
    await tf.setBackend('cpu');
    return 1;
  },
  async tensorflow() {
    await useTfjsNode();
    return undefined;
  },
} satisfies Record<string, Start>;

/** A backend of TensorFlow.js that the command can set up. */
export type Backend = keyof typeof starts;

/** Every {@link Backend}, the default first. */
export const backends = Object.keys(starts) as readonly Backend[];

/** Threads of a run. Either those of the library's kernels or those of tfjs compute it. */
export interface Computing {
  /** What the option `threads` of `styleTransfer` gets; undefined if tfjs computes. */
  readonly threads: number | undefined;
  /** Threads of the backend if tfjs computes; undefined otherwise, or if the backend does not tell. */
  readonly tfjsThreads: number | undefined;
}

/**
 * Makes a backend active. It gets more than one thread only if tfjs computes the network; the library's own kernels
 * start threads themselves.
 *
 * @throws InvalidArgumentError `CONFLICTING_OPTIONS` if threads are requested and neither would use them
 * @throws EnvironmentError if the backend or the engine does not run here
 */
export async function startBackend(
  backend: Backend,
  engine: EngineChoice | undefined,
  threads: number | undefined,
): Promise<Computing> {
  const [chosen] = enginesFor({ engine }, backend);
  if (chosen.name !== 'tfjs') {
    await starts[backend](1);
    return { threads, tfjsThreads: undefined };
  }
  if (threads !== undefined && backend !== 'wasm') {
    const accepted = "backend 'wasm', or no threads";
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `threads has no effect where tfjs computes on the backend ${backend}; accepted: ${accepted}.`,
      { option: 'threads', value: threads, accepted },
    );
  }
  const tfjsThreads = await starts[backend](Math.min(threads ?? physicalCores(), maxWasmThreads));
  return { threads: undefined, tfjsThreads };
}
