import * as tf from '@tensorflow/tfjs-core';
import { type EngineChoice, enginesFor } from '../engines/engine-options';
import { physicalCores } from '../engines/wasm/runtime/physical-cores';
import { EnvironmentError, InvalidArgumentError } from '../errors';
import { oneOf } from '../options/table';
import type { SettingsRecord } from '../transfer/settings-record';
import { maxWasmThreads } from './threaded-wasm';
import { useTfjsNode } from './use-tfjs-node';
import { useWasm } from './use-wasm';
import { useWebgpu } from './use-webgpu';

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
  async webgpu() {
    await useWebgpu();
    return undefined;
  },
  async tensorflow() {
    await useTfjsNode();
    return undefined;
  },
} satisfies Record<string, Start>;

/** A backend of TensorFlow.js that can be set up in Node. */
export type Backend = keyof typeof starts;

/** Every {@link Backend}, the default first. */
export const backends = Object.keys(starts) as readonly Backend[];

/** The option `backend` of what sets up one. */
export const backendOption = oneOf(backends, {
  default: backends[0],
  flag: '--backend <name>',
  help: `TensorFlow.js on ${backends.join(', ')}`,
});

/** The backend of a run: the given one, else that of the run that it repeats if it can be set up, else the default. */
export const backendOf = (given: Backend | undefined, repeated: SettingsRecord | undefined): Backend =>
  given ?? backends.find((name) => name === repeated?.backend) ?? backends[0];

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
  requireThreadsApply(backend, engine, threads);
  if (backend === 'webgpu') {
    await starts.webgpu();
    // Whether the chosen engine runs here can be told now that the device is there.
    enginesFor({ engine }, backend);
    return { threads: undefined, tfjsThreads: undefined };
  }
  if (!tfjsComputes(backend, engine)) {
    await starts[backend](1);
    return { threads, tfjsThreads: undefined };
  }
  const tfjsThreads = await starts[backend](Math.min(threads ?? physicalCores(), maxWasmThreads));
  return { threads: undefined, tfjsThreads };
}

/** @throws InvalidArgumentError `CONFLICTING_OPTIONS` if threads are requested and no part of a run would use them */
export function requireThreadsApply(
  backend: Backend,
  engine: EngineChoice | undefined,
  threads: number | undefined,
): void {
  if (threads === undefined || usesThreads(backend, engine)) return;
  const accepted = "backend 'wasm', or no threads";
  const where =
    backend === 'webgpu' ? 'on the backend webgpu' : `where tfjs computes on the backend ${backend}`;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `threads has no effect ${where}; accepted: ${accepted}.`,
    { option: 'threads', value: threads, accepted },
  );
}

/** Whether a number of threads has an effect. */
export const usesThreads = (backend: Backend, engine: EngineChoice | undefined): boolean =>
  backend === 'wasm' || (backend !== 'webgpu' && !tfjsComputes(backend, engine));

/** Whether operations of tfjs compute the network, and not kernels of this library. */
const tfjsComputes = (backend: Backend, engine: EngineChoice | undefined): boolean =>
  enginesFor({ engine }, backend)[0].name === 'tfjs';
