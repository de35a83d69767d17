import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../errors';

/**
 * Makes TensorFlow's native library the active backend, through the optional package `@tensorflow/tfjs-node`.
 *
 * @throws EnvironmentError if the package is not installed or does not load here
 * @example
 * ```ts
 * await useTfjsNode();
 * ```
 */
export async function useTfjsNode(): Promise<void> {
  restoreUtil();
  // Without it the library prints notices about the processor to stderr.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // In a variable: compilers and bundlers would resolve a literal, and the package is optional.
  const packageName: string = '@tensorflow/tfjs-node';
  try {
    await import(packageName);
    if (await tf.setBackend('tensorflow')) return;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const problem = missing
      ? 'is not installed'
      : `does not load here (${(cause as Error).message.split('\n')[0]})`;
    throw new EnvironmentError(
      'NO_BACKEND',
      `The package @tensorflow/tfjs-node ${problem}: npm install @tensorflow/tfjs-node@${tf.version_core}, or use the wasm backend, which needs no native library.`,
      { option: 'backend', value: 'tensorflow', accepted: `@tensorflow/tfjs-node ${tf.version_core}`, cause },
    );
  }
  throw new EnvironmentError(
    'NO_BACKEND',
    `@tensorflow/tfjs-node is there but gives this program's TensorFlow.js ${tf.version_core} no backend; both need one version.`,
    { option: 'backend', value: 'tensorflow', accepted: `@tensorflow/tfjs-node ${tf.version_core}` },
  );
}

/** tfjs-node 4 calls two functions that Node 23 removed. */
function restoreUtil(): void {
  const functions = util as unknown as Record<string, unknown>;
  functions.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  functions.isArray ??= Array.isArray;
}
