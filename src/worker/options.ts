import type { WasmPaths } from '../backends/wasm-binary';
import type { EngineName } from '../engines/list';
import type { Generator } from '../features/generator';
import type { WeightMap } from '../features/vgg19/weight-map';
import type { Image } from '../image/image';
import type { ImageInput } from '../image/to-image';
import type { AdamOptions, LbfgsOptions, PyramidOptions } from '../optim';
import type { StyleTransferOptions } from '../transfer/options';
import type { StyleInput } from '../transfer/styles';
import type { WorkerProgressListener } from './progress';
import type { WorkerResult } from './result';

/** The tfjs backend of a worker. */
export type WorkerBackend = 'wasm' | 'cpu' | 'webgl' | 'webgpu';

/** Every {@link WorkerBackend}. */
export const workerBackends: readonly WorkerBackend[] = ['wasm', 'cpu', 'webgl', 'webgpu'];

/** An optimiser as data: its name and its options. */
export type OptimizerChoice =
  | ({ readonly name: 'adam' } & AdamOptions)
  | ({ readonly name: 'lbfgs' } & Omit<LbfgsOptions<Image>, 'preconditioner'> & {
        /** @default none */
        readonly preconditioner?: ({ readonly kind: 'pyramid' } & PyramidOptions) | undefined;
      });

/**
 * Options of {@link styleTransfer} of `tfjs-style-transfer/worker`: those of the same function on the page's own thread
 * as far as they are data, a module's URL in place of functions, and previews.
 */
export interface WorkerStyleTransferOptions
  extends Omit<
    StyleTransferOptions<ImageInput>,
    'init' | 'loss' | 'extractor' | 'optimizer' | 'engine' | 'weights' | 'onProgress'
  > {
  /**
   * Milliseconds between previews at least; 0 is a preview of every step. The first is of the start.
   * @default no previews
   */
  readonly previewInterval?: number | undefined;
  /**
   * The image to start from: the content (keeps its structure), noise from `seed`, the style, an image, which is
   * resized, or what a generator paints of the content.
   * @default 'content'
   */
  readonly init?: 'content' | 'noise' | 'style' | ImageInput | Generator | undefined;
  /**
   * URL of a module whose default export makes a loss in place of the preset's: a {@link LossModule}.
   * @default the loss of `preset`
   */
  readonly loss?: string | URL | undefined;
  /**
   * URL of a module whose default export makes a feature extractor: an {@link ExtractorModule}. The worker keeps the
   * extractor for later runs with the same URL.
   * @default VGG-19
   */
  readonly extractor?: string | URL | undefined;
  /**
   * The method that minimises, as data: `{ name: 'adam', learningRate: 0.02 }`.
   * @default as of `styleTransfer` on the page's own thread
   */
  readonly optimizer?: OptimizerChoice | undefined;
  /** The engine that computes the network. @default 'auto', the faster one for the backend */
  readonly engine?: 'auto' | EngineName | undefined;
  /** Source of VGG-19's weights. @default VGG-19 if it is cached, else the embedded network */
  readonly weights?: 'vgg19' | 'embedded' | (string & {}) | URL | WeightMap | undefined;
  /** Called for each event, in order, and awaited; see {@link WorkerProgress}. */
  readonly onProgress?: WorkerProgressListener | undefined;
}

/** Options of {@link createStyleWorker}. */
export interface StyleWorkerOptions {
  /**
   * The tfjs backend of the worker. Only its code is loaded, and that of wasm where WebGPU has no GPU.
   * @default 'wasm'
   */
  readonly backend?: WorkerBackend | undefined;
  /**
   * The worker's script in place of the one inside this package: its URL, or a function that starts it. For pages
   * whose policy forbids workers from blobs: a copy of `tfjs-style-transfer/dist/style-worker.js`, which has the
   * backends wasm and cpu.
   * @default the program in this package, started from a blob
   */
  readonly worker?: string | URL | (() => Worker) | undefined;
  /**
   * Where the files of `@tensorflow/tfjs-backend-wasm/wasm-out` are served, as of `useWasm`. Only for the backend wasm.
   * @default the file in this package
   */
  readonly wasmPaths?: WasmPaths | undefined;
  /**
   * Longest time in milliseconds that the worker's start may take, its backend's included; time in which the page is
   * suspended does not count.
   * @default 30000
   */
  readonly startLimit?: number | undefined;
}

/** Options of {@link StyleWorker.fetchWeights}. */
export interface FetchWeightsOptions
  extends Pick<WorkerStyleTransferOptions, 'preset' | 'weights' | 'signal'> {
  /** Called with the bytes that have arrived, and for problems that do not prevent the download. */
  readonly onProgress?: WorkerProgressListener | undefined;
}

/** A run in a worker: the promise of its result, and what holds it. */
export interface StyleRun extends Promise<WorkerResult> {
  /** Holds the run at its next step. Without effect where it is held already, or has ended. */
  pause(): void;
  /** Goes on with a run that {@link pause} has held. */
  resume(): void;
  /** Whether the run is held, or will be at its next step. */
  readonly paused: boolean;
}

/** `styleTransfer` in a worker. `Options` are those of a run. */
export interface WorkerStyleTransfer<Options = WorkerStyleTransferOptions> {
  /**
   * Paints the content image in the style of another in a Web Worker, so that the page never stops: the `styleTransfer`
   * of the library's root, which describes method and arguments.
   *
   * @param content the image to paint, anything that a page can draw, or pixels; it stays as it is, and what it shows
   *   now is what is painted
   * @param style a style image, a style file, or a list `{ image, weight }` of both
   * @param alpha weight of the content loss
   * @param beta weight of the style loss
   * @param options see {@link WorkerStyleTransferOptions}
   * @returns the run, a promise of the result that can be paused
   * @throws what `styleTransfer` throws, with class and code; EnvironmentError `WORKER_UNAVAILABLE` if the worker does
   *   not start, ComputationError `WORKER_LOST` if it ends during the run
   * @example
   * ```ts
   * const { bitmap } = await styleTransfer(photograph, painting, 1, 1e6, { size: 256 });
   * canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
   * ```
   */
  (
    content: ImageInput,
    style: StyleInput<ImageInput>,
    alpha: number,
    beta: number,
    options?: Options,
  ): StyleRun;
  /** The same with alpha and beta among the options, or the preset's. */
  (content: ImageInput, style: StyleInput<ImageInput>, options?: Options): StyleRun;
}
