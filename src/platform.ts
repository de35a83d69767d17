import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from './allocation';
import { isSoftwareGpu } from './backends/gpu';
import { requireDevice } from './backends/lost-device';
import { requirePrecision } from './backends/precision';
import { EnvironmentError } from './errors';
import type { Generator } from './features/generator';
import type { WeightsPlatform } from './features/vgg19/resolve-weights';
import type { ImageReader } from './image/image-reader';
import { type ImageInput, imageReader } from './image/to-image';
import { showText } from './options/show';
import type { WeightsWarning } from './storage/progress';
import type { StyleFile } from './styles/style-file';

/**
 * The differences between pages and Node: decoding of inputs, sources of weights, and the default backend of tfjs.
 * `styleTransfer`, `evaluate` and `loadVgg19` are made from a platform, so that each exists once.
 */
export interface Platform<Input> extends ImageReader<Input> {
  /**
   * Whether a text is the path or URL of an image rather than a name, such as a start of `styleTransfer`. Default:
   * never.
   */
  readonly namesImage?: ((text: string) => boolean) | undefined;
  /**
   * Reads a style file if an input names one; undefined for images. Default: inputs are images.
   *
   * @throws ImageError if it cannot be read, or is no style file
   */
  readonly openStyle?:
    | ((option: string, input: Input, signal?: AbortSignal) => Promise<StyleFile | undefined>)
    | undefined;
  /**
   * Reads a generator file if an input names one; undefined for images. Default: inputs are images.
   *
   * @throws WeightsError if it is no generator file; ImageError if it cannot be read
   */
  readonly openGenerator?:
    | ((option: string, input: Input, signal?: AbortSignal) => Promise<Generator | undefined>)
    | undefined;
  /** Sources of weights. Default: those of a page. */
  readonly weights?: WeightsPlatform | undefined;
  /** Bytes of memory that the machine lets a program have. Default: unknown. */
  readonly memory?: (() => number) | undefined;
  /** What decodes and resamples image files, with its version: `'sharp 0.35.5'`. Default: the platform itself. */
  readonly decoder?: (() => Promise<string | undefined>) | undefined;
  /**
   * Sets up the wasm backend if the program has none, or one that is slower. Default: a missing backend is an error,
   * and `useWasm` of pages is in place of a slower one.
   */
  readonly startBackend?: (() => Promise<void>) | undefined;
}

/** The platform without anything specific to pages or Node. */
export const anyPlatform: Platform<ImageInput> = imageReader;

/**
 * Ensures that tfjs has a working backend, with 32-bit floats and a device that is there; starts the platform's default
 * if the program has not set up one.
 *
 * @param onWarning called if the backend that the program asked for does not run and another one does, or is slow
 * @param inSoftware what to do about WebGPU in software where the engine is `'auto'`: go on by wasm, which a call can
 *   whose inputs are images, or say that it is slow, where tensors of the program stay on the backend
 * @throws EnvironmentError `NO_BACKEND`, whose message says how to set up one, or `LOW_PRECISION`; ComputationError
 *   `DEVICE_LOST`
 */
export async function requireBackend(
  platform: Platform<never>,
  onWarning?: (warning: WeightsWarning) => void,
  inSoftware?: 'leave' | 'warn',
): Promise<void> {
  const { startBackend } = platform;
  // Of a backend that did not start, tfjs keeps the name until it needs one, and then chooses another.
  const wanted = tf.getBackend();
  const problem = await backendProblem();
  if (problem) {
    if (!startBackend) throw problem;
    await startBackend();
  }
  const running = tf.getBackend();
  if (wanted && wanted !== running) {
    const message = `The backend '${showText(wanted)}' that was asked for does not start here; '${running}' computes in its place.`;
    onWarning?.({ code: 'BACKEND_REPLACED', message });
  }
  if (inSoftware && isSoftwareGpu()) {
    const why = "The backend 'webgpu' has no GPU here and computes in software";
    if (inSoftware === 'leave' && (await leaveSoftware(platform)))
      onWarning?.({ code: 'BACKEND_REPLACED', message: `${why}; 'wasm' computes in its place.` });
    else onWarning?.({ code: 'SLOW_BACKEND', message: `${why}, many times more slowly than 'wasm'.` });
  }
  checkAllocations();
  requireDevice();
  await requirePrecision();
}

/** The reason why tfjs has no working backend; undefined if it has one. */
async function backendProblem(): Promise<EnvironmentError | undefined> {
  let cause: unknown;
  try {
    await tf.ready();
    if (tf.getBackend()) return undefined;
  } catch (error) {
    cause = error;
  }
  const accepted =
    "await useWasm() first, or import '@tensorflow/tfjs-backend-webgl' (or -webgpu, -cpu) and " +
    "await tf.setBackend('webgl')";
  const message = `TensorFlow.js has no backend that works here: ${accepted}.`;
  return new EnvironmentError('NO_BACKEND', message, { option: 'backend', accepted, cause });
}

/** Goes on by the wasm backend. @returns whether it starts; otherwise the one that runs stays */
async function leaveSoftware({ startBackend }: Platform<never>): Promise<boolean> {
  try {
    if (startBackend) await startBackend();
    else await (await import('./backends/use-wasm')).useWasm();
    return true;
  } catch {
    return false;
  }
}
