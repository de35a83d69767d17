import * as tf from '@tensorflow/tfjs-core';
import { type EngineChoice, enginesFor } from '../engines/engine-options';
import { physicalCores } from '../engines/wasm/runtime/physical-cores';
import { EnvironmentError, InvalidArgumentError } from '../errors';
import { maxWasmThreads } from '../node/threaded-wasm';
import { useTfjsNode } from '../node/use-tfjs-node';
import { useWasm } from '../node/use-wasm';

/** Makes a backend active. @returns how many threads it computes with, undefined where it does not tell */
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

/** Who computes a run, and with how many threads. */
export interface Computing {
  /** For the engine: undefined where tfjs computes, whose threads are the backend's. */
  readonly threads: number | undefined;
  /** Threads of tfjs where it computes; undefined where an engine of its own threads does, or tfjs does not tell. */
  readonly tfjsThreads: number | undefined;
}

/**
 * Makes a backend active. It gets threads only where tfjs computes the network; the library's own kernels have theirs.
 *
 * @throws InvalidArgumentError `CONFLICTING_OPTIONS` if threads are asked for that nothing would use
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
