import type { EngineName } from '../engines/list';
import type { Generator } from '../features/generator';
import type { StylizeOptions, StylizeProgress, StylizeResult } from '../generators/stylize';
import type { ImageInput } from '../image/to-image';
import type { RgbImage } from './result';

/**
 * A generator for a worker: what `loadGenerator` or `trainGenerator` of `tfjs-style-transfer/generators` gives, or a
 * generator file by its URL or its bytes, which the worker loads. A generator is taken as it is at its first call.
 */
export type WorkerGenerator = Generator | string | URL | Uint8Array | ArrayBuffer;

/** Options of `stylize` of `tfjs-style-transfer/worker`: those of `stylize` on the page's own thread, as data. */
export interface WorkerStylizeOptions extends Omit<StylizeOptions<ImageInput>, 'engine'> {
  /** The engine that computes the generator. @default 'auto', the faster one for the backend */
  readonly engine?: 'auto' | EngineName | undefined;
}

/** An event of `stylize` in a worker. */
export type WorkerStylizeProgress = StylizeProgress;

/** Result of `stylize` of `tfjs-style-transfer/worker`: plain data, in no need of disposal. */
export interface WorkerStylizeResult extends Pick<StylizeResult, 'elapsedMs'> {
  readonly image: RgbImage;
  /** The image for canvases. `close()` frees its memory before the garbage collector does. */
  readonly bitmap: ImageBitmap;
}

/** `stylize` in a worker. `Options` are those of a picture. */
export type WorkerStylize<Options = WorkerStylizeOptions> =
  /**
   * Paints a photograph by a generator in a Web Worker, so that the page never stops. The worker keeps the last
   * generator open for the next picture.
   *
   * @param image anything that a page can draw, or pixels; it stays as it is, and what it shows now is what is painted
   * @param generator see {@link WorkerGenerator}
   * @param options see {@link WorkerStylizeOptions}
   * @throws what `stylize` and `loadGenerator` throw, with class and code; EnvironmentError `WORKER_UNAVAILABLE` if the
   *   worker does not start, ComputationError `WORKER_LOST` if it ends before the picture is painted
   * @example
   * ```ts
   * const { bitmap } = await stylize(photograph, 'mosaic.safetensors');
   * canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
   * ```
   */
  (image: ImageInput, generator: WorkerGenerator, options?: Options) => Promise<WorkerStylizeResult>;
