import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from './allocation';
import { EnvironmentError } from './errors';
import type { WeightsPlatform } from './features/vgg19/resolve-weights';
import type { ImageReader } from './image/image-reader';
import { type ImageInput, imageReader } from './image/to-image';

/**
 * What differs between a page and Node: how inputs become images, where weights are found, and which backend of tfjs
 * starts by itself. `styleTransfer`, `evaluate` and `loadVgg19` are made from a platform, so that each exists once.
 */
export interface Platform<Input> extends ImageReader<Input> {
  /**
   * Whether a text names an image, as a path does. A text that does not is the name of something else, such as a start
   * of `styleTransfer`. Left out, no text names an image.
   */
  readonly namesImage?: ((text: string) => boolean) | undefined;
  /** How weights are found. Left out, as in a page. */
  readonly weights?: WeightsPlatform | undefined;
  /** Sets a backend of tfjs up where the program has none. Left out, having none is an error. */
  readonly startBackend?: (() => Promise<void>) | undefined;
}

/** What every platform has. */
export const anyPlatform: Platform<ImageInput> = imageReader;

/**
 * Makes sure that tfjs has a backend that starts, and starts the platform's own where the program has set up none.
 *
 * @throws EnvironmentError `NO_BACKEND`, with the cure
 */
export async function requireBackend({ startBackend }: Platform<never>): Promise<void> {
  const problem = await backendProblem();
  if (problem) {
    if (!startBackend) throw problem;
    await startBackend();
  }
  checkAllocations();
}

/** Why tfjs has no backend here, if it has none. */
async function backendProblem(): Promise<EnvironmentError | undefined> {
  let cause: unknown;
  try {
    await tf.ready();
    if (tf.getBackend()) return undefined;
  } catch (error) {
    cause = error;
  }
  const accepted =
    "import '@tensorflow/tfjs-backend-wasm' (or -cpu, -webgl, -webgpu) and await tf.setBackend('wasm') first; " +
    'in Node, useWasm() does both';
  const message = `TensorFlow.js has no backend that works here: ${accepted}.`;
  return new EnvironmentError('NO_BACKEND', message, { option: 'backend', accepted, cause });
}
