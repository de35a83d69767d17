export type { ErrorCode, WarningCode } from '../error-codes';
export * from '../errors';
export type { PixelArray } from '../image/pixel-array';
export type { ImageInput } from '../image/to-image';
export type { Scale, Scales } from '../transfer/scales';
export type { ExtractorModule, LossModule, WorkerLibrary } from './modules';
export type {
  FetchWeightsOptions,
  OptimizerChoice,
  StyleRun,
  StyleWorkerOptions,
  WorkerBackend,
  WorkerStyleTransfer,
  WorkerStyleTransferOptions,
} from './options';
export type {
  PausedEvent,
  PreviewEvent,
  ResumedEvent,
  WorkerInterruptedEvent,
  WorkerProgress,
  WorkerProgressListener,
  WorkerStepEvent,
} from './progress';
export type { RgbImage, WorkerResult } from './result';
export {
  type StyleTransferInWorkerOptions,
  type StylizeInWorkerOptions,
  styleTransfer,
  stylize,
} from './style-transfer';
export { createStyleWorker, type StyleWorker } from './style-worker';
export type {
  WorkerGenerator,
  WorkerStylize,
  WorkerStylizeOptions,
  WorkerStylizeProgress,
  WorkerStylizeResult,
} from './stylize-options';
export { toImageBitmap, toImageData } from './to-image-data';
