import type { Image } from '../../image/image';
import type { WeightsProgress } from '../../storage/progress';
import type { WarningEvent } from '../../transfer/progress';
import type { RunFacts } from '../../transfer/run-facts';
import type { TrainingStage } from './stages';

/** An event of a training, distinguished by `type`. */
export type TrainingProgress =
  | WeightsProgress
  | WarningEvent
  | TrainingStartEvent
  | TrainingStepEvent
  | TrainingPreviewEvent
  | TrainingInterruptedEvent;

/** Everything is loaded and checked; the first step comes next. */
export interface TrainingStartEvent extends RunFacts {
  readonly type: 'start';
  /** Steps of the whole training. */
  readonly steps: number;
  /** Steps that a checkpoint has already; 0 without one. */
  readonly resumedAt: number;
  readonly stages: readonly TrainingStage[];
  /** Name of the generator's architecture. */
  readonly architecture: string;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Name of the generator that training starts from; undefined for one from scratch. */
  readonly base: string | undefined;
}

/** A step has been taken. */
export interface TrainingStepEvent {
  readonly type: 'step';
  /** Steps done, 1 to `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Height and width of the crop in pixels. */
  readonly size: number;
  /** Of this step's crop; it differs from crop to crop by more than it falls. */
  readonly loss: number;
  /** The weighted contribution of each part of `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  /** Mean of the losses of about the last fifty steps. */
  readonly meanLoss: number;
  /** Time of the steps of this call. */
  readonly elapsedMs: number;
  /** Of steps with crops of this size, estimated from the pace of this call. */
  readonly secondsPerStep: number;
  /** Until the last step, estimated from the pace of this call. */
  readonly secondsLeft: number;
  /** Part of the training's work that is done, 0 to 1; a step counts its pixels. */
  readonly done: number;
}

/** Pictures that are not trained on, painted by the generator as it is; of several styles, each in every one. */
export interface TrainingPreviewEvent {
  readonly type: 'preview';
  /** Steps done. */
  readonly step: number;
  /** The loss of each picture, of the kind that is trained. */
  readonly losses: readonly number[];
  /**
   * The pictures, [height, width, 3] each. They belong to the training and are freed when the listener returns, or when
   * the promise that it returned settles.
   */
  readonly images: readonly Image[];
}

/** The training has been aborted or has failed after its start; the promise rejects next. */
export interface TrainingInterruptedEvent {
  readonly type: 'interrupted';
  /** The reason with which the promise will reject. */
  readonly reason: unknown;
  /** Steps done. */
  readonly step: number;
  /** Whether a checkpoint has them. */
  readonly kept: boolean;
}
