import type { WeightsProgress } from '../features/vgg19/source';
import type { Image } from '../image/image';
import type { PresetName } from './presets';

/** What `styleTransfer` tells while it works; tell the events apart by `type`. */
export type StyleTransferProgress =
  | WeightsProgress
  | StartEvent
  | StepEvent
  | WarningEvent
  | InterruptedEvent;

/** Everything is loaded and checked; the first evaluation comes next. */
export interface StartEvent {
  readonly type: 'start';
  /** Pixels of the image that is made. */
  readonly width: number;
  readonly height: number;
  /** Undefined where the caller gave a loss of their own. */
  readonly preset: PresetName | undefined;
  readonly engine: string;
  /** The tfjs backend. */
  readonly backend: string;
  /** Where the network's weights came from. */
  readonly weights: string;
  /** True where no VGG-19 was found and the small network that comes with this package stands in. */
  readonly embedded: boolean;
  /** The layers that the loss looks at. */
  readonly layers: readonly string[];
}

/** An iteration is done: a point was accepted. */
export interface StepEvent {
  readonly type: 'step';
  /** 0 is the start itself. */
  readonly iteration: number;
  /** The most iterations there will be. */
  readonly iterations: number;
  readonly evaluations: number;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  readonly secondsPerEvaluation: number;
  /** Estimated from the pace so far. */
  readonly secondsLeft: number;
  /** A copy of the image as it is now, which belongs to the caller. Call it during the event only; not calling it costs nothing. */
  image(): Image;
}

/** Something that the caller may want to know, and that stops nothing. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly code: string;
  readonly message: string;
}

/** The run was aborted or failed; the promise rejects next. */
export interface InterruptedEvent {
  readonly type: 'interrupted';
  /** What the promise will reject with. */
  readonly reason: unknown;
  readonly evaluations: number;
  /** Loss of the best image so far. */
  readonly loss: number;
  /** A copy of the best image so far, which belongs to the caller. Call it during the event only. */
  image(): Image;
}

/** Takes progress events; the run waits for a promise that it returns. An error that it throws ends the run. */
export type ProgressListener = (event: StyleTransferProgress) => void | Promise<void>;
