import * as tf from '@tensorflow/tfjs-core';
import type { WasmPaths } from '../../backends/wasm-binary';
import { EnvironmentError } from '../../errors';
import { showText } from '../../options/show';
import type { WorkerBackend } from '../options';

/** Starts a backend. @throws EnvironmentError if it does not start */
export type StartBackend = (wasmPaths: WasmPaths | undefined) => Promise<void>;

/** The backends of this worker: scripts before that of the program add theirs. */
const registry = (): Partial<Record<WorkerBackend, StartBackend>> => {
  const scope = globalThis as { tfjsStyleTransferBackends?: Partial<Record<WorkerBackend, StartBackend>> };
  scope.tfjsStyleTransferBackends ??= {};
  return scope.tfjsStyleTransferBackends;
};

/** Adds a backend to those that {@link startBackend} finds. */
export function registerBackend(name: WorkerBackend, start: StartBackend): void {
  registry()[name] = start;
}

let givenPaths: WasmPaths | undefined;

/**
 * Starts a backend of this worker, as the page asked for; {@link startWasm} will find the page's paths.
 *
 * @throws EnvironmentError `NO_BACKEND` if it is none of them, or does not start
 */
export async function startBackend(name: WorkerBackend, wasmPaths: WasmPaths | undefined): Promise<void> {
  givenPaths = wasmPaths;
  const start = registry()[name];
  if (start) return start(wasmPaths);
  const accepted = Object.keys(registry());
  const message = `The worker's script has no backend '${showText(String(name))}'; accepted: ${accepted.join(', ')}.`;
  throw new EnvironmentError('NO_BACKEND', message, { option: 'backend', value: name, accepted });
}

/**
 * Starts the wasm backend in place of another one.
 *
 * @throws EnvironmentError `NO_BACKEND` if it is none of this worker's, or does not start
 */
export const startWasm = (): Promise<void> => startBackend('wasm', givenPaths);

/** Makes a backend active that its package has registered. */
export async function startRegistered(name: WorkerBackend): Promise<void> {
  let cause: unknown;
  try {
    if (await tf.setBackend(name)) return;
  } catch (error) {
    cause = error;
  }
  const reason = cause === undefined ? '' : `: ${showText(String((cause as Error).message ?? cause), 200)}`;
  throw new EnvironmentError('NO_BACKEND', `The backend '${name}' does not start in this worker${reason}.`, {
    option: 'backend',
    value: name,
    accepted: 'another backend, such as wasm',
    cause,
  });
}
