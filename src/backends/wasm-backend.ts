import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../allocation';
import { EnvironmentError } from '../errors';
import { showText } from '../options/show';
import { afterRunningFor } from '../running-time';
import { withoutProcessListeners } from './without-process-listeners';

/** The package `@tensorflow/tfjs-backend-wasm`. */
export type WasmBackend = typeof import('@tensorflow/tfjs-backend-wasm');

/** Limit for the start of the backend; time in which the program is suspended does not count. */
const startLimitMs = 30_000;

/**
 * Loads tfjs' wasm backend, which registers itself.
 *
 * @throws EnvironmentError `NO_BACKEND` if the package is not installed
 */
export async function importWasmBackend(): Promise<WasmBackend> {
  try {
    return await import('@tensorflow/tfjs-backend-wasm');
  } catch (cause) {
    const version = tf.version_core;
    throw new EnvironmentError(
      'NO_BACKEND',
      `The wasm backend is not installed, or does not load (${reasonOf(cause)}); accepted: npm install @tensorflow/tfjs-backend-wasm@${version}`,
      { option: 'backend', value: 'wasm', accepted: `@tensorflow/tfjs-backend-wasm ${version}`, cause },
    );
  }
}

/**
 * Makes wasm the active backend. If it does not start, the backend that was active before stays.
 *
 * @param remedies what would help if it does not start, for the message
 * @throws EnvironmentError `NO_BACKEND` if it does not start, or does not answer in time
 */
export async function activateWasm(remedies: string, limitMs = startLimitMs): Promise<void> {
  const before = tf.getBackend();
  let cause: unknown;
  try {
    if (await withoutProcessListeners(() => inTime(tf.setBackend('wasm'), limitMs))) {
      checkAllocations();
      return;
    }
  } catch (error) {
    cause = error;
  }
  // tfjs would otherwise go on with whichever backend starts, without a word.
  if (before && before in tf.engine().registry) await tf.setBackend(before);
  throw notStarted(remedies, cause);
}

/** The error for a wasm backend that does not start. */
export function notStarted(remedies: string, cause?: unknown): EnvironmentError {
  const reason = cause === undefined ? '' : `: ${withoutStop(reasonOf(cause))}`;
  return new EnvironmentError(
    'NO_BACKEND',
    `The wasm backend does not start here${reason}; accepted: ${remedies}.`,
    { option: 'backend', value: 'wasm', accepted: remedies, cause },
  );
}

async function inTime<T>(start: Promise<T>, limitMs: number): Promise<T> {
  let stopTimer = () => {};
  try {
    return await Promise.race([
      start,
      new Promise<never>((_, reject) => {
        stopTimer = afterRunningFor(limitMs, () =>
          reject(new Error(`it did not answer within ${limitMs / 1000} seconds`)),
        );
      }),
    ]);
  } finally {
    stopTimer();
  }
}

/** The message of a thrown value; tfjs also throws plain records with a message. */
const reasonOf = (cause: unknown): string =>
  showText(String((cause as { message?: unknown } | null)?.message ?? cause), 200);

const withoutStop = (sentence: string) => sentence.replace(/\.$/, '');
