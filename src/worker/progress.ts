import type { PixelArray } from '../image/pixel-array';
import type { WeightsProgress } from '../storage/progress';
import type {
  InterruptedEvent,
  PrepareEvent,
  StageFacts,
  StartEvent,
  StepEvent,
  WarningEvent,
} from '../transfer/progress';

/** An event of a run in a worker, distinguished by `type`. */
export type WorkerProgress =
  | WeightsProgress
  | StartEvent
  | PrepareEvent
  | WorkerStepEvent
  | PreviewEvent
  | PausedEvent
  | ResumedEvent
  | WarningEvent
  | WorkerInterruptedEvent;

/** As of `styleTransfer` on the page's own thread, without an image: previews have it. */
export interface WorkerStepEvent extends Omit<StepEvent, 'image'> {}

/** The image at a step, at most once in `previewInterval`. It follows the step's event. */
export interface PreviewEvent extends Pick<StepEvent, 'stage' | 'iteration' | 'loss'> {
  readonly type: 'preview';
  readonly stage: StageFacts;
  /** The image. It belongs to the listener, which frees its memory by `close()`. */
  readonly bitmap: ImageBitmap;
}

/** The run is held after a step, until `resume()`. */
export interface PausedEvent {
  readonly type: 'paused';
}

/** The run goes on. */
export interface ResumedEvent {
  readonly type: 'resumed';
}

/** The run has been aborted or has failed after its start; the promise rejects next. */
export interface WorkerInterruptedEvent extends Omit<InterruptedEvent, 'image'> {
  /**
   * The best image so far, an image input. If the worker is lost, it is the last preview's; undefined without one.
   */
  readonly image: PixelArray | undefined;
}

/**
 * Takes the events of a run in a worker, in order and one at a time. The worker is at most one event ahead: it waits
 * for a promise that the listener returns before it sends the event after the next. If the listener throws or rejects,
 * the run ends with that error.
 */
export type WorkerProgressListener = (event: WorkerProgress) => void | Promise<void>;
