import type { MemoryPlan } from '../engines/engine';
import type { WarningCode } from '../error-codes';
import type { Image } from '../image/image';
import type { WeightsProgress } from '../storage/progress';
import type { PresetName } from './presets';
import type { RunFacts } from './run-facts';

/** An event of a run of `styleTransfer`, distinguished by `type`. */
export type StyleTransferProgress =
  | WeightsProgress
  | StartEvent
  | PrepareEvent
  | StepEvent
  | WarningEvent
  | InterruptedEvent;

/** The memory of a stage in bytes, by its sizes alone. */
export interface RunPlan extends MemoryPlan {
  /** All of the following at the peak, beside the program itself. */
  readonly bytes: number;
  /** The pictures: content, style, start and result. */
  readonly images: number;
  /** The optimiser's vectors of the image's size, beside its history. */
  readonly vectors: number;
  /** The optimiser's history of earlier steps. */
  readonly history: number;
  /** Cost of an evaluation as a multiple of the image as a whole: tiles overlap, and compute some maps anew. */
  readonly work: number;
  /** Pairs of vectors in the history at most. */
  readonly pairs: number;
}

/** The place of a stage in its run. */
export interface StageFacts {
  /** 0 is the first. */
  readonly index: number;
  /** Number of stages of the run. */
  readonly count: number;
  /** Size of the stage's image in pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * With `balance: 'initial'`, what each term of the loss is divided by, by its name; terms of weight 0 are not among
   * them. `terms` in history and events are divided ones: a term times its divisor, by its weight, is its plain value.
   */
  readonly divisors?: Readonly<Record<string, number>> | undefined;
}

/** Everything is loaded and checked; the first evaluation of a stage comes next. Sent once a stage. */
export interface StartEvent extends RunFacts {
  readonly type: 'start';
  readonly stage: StageFacts;
  /** Size of the painted image in pixels. */
  readonly width: number;
  readonly height: number;
  /** Undefined if the option `loss` replaces the preset. */
  readonly preset: PresetName | undefined;
  /** The layers that the loss reads. */
  readonly layers: readonly string[];
  /** The memory that the stage takes. */
  readonly plan: RunPlan;
}

/**
 * The engine makes ready for the first evaluation of a stage: WebGPU's kernels are compiled, and before that, with
 * `tuning: 'measured'`, ways of computing layers are timed. Each of the two is sent only where it is to be done, first
 * with `done` 0, and while the listener is busy only the newest is kept.
 */
export interface PrepareEvent {
  readonly type: 'prepare';
  /** Parts that are ready: kernels, or ways that are timed. */
  readonly done: number;
  /** All parts. */
  readonly total: number;
}

/** The start has been evaluated (iteration 0), or the optimiser has accepted a step. */
export interface StepEvent {
  readonly type: 'step';
  readonly stage: StageFacts;
  /** Of the stage; 0 is its start itself. */
  readonly iteration: number;
  /** Iterations of the stage at most. */
  readonly iterations: number;
  /** Of the stage. */
  readonly evaluations: number;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  /** Time of minimisation, of all stages so far. */
  readonly elapsedMs: number;
  /** Of the stage. */
  readonly secondsPerEvaluation: number;
  /** Until the end of the last stage, estimated from the pace so far. */
  readonly secondsLeft: number;
  /** Part of the run's work that is done, 0 to 1; an evaluation counts its pixels. */
  readonly done: number;
  /**
   * A copy of the image at this step, [height, width, 3], which belongs to the caller. Only during the event: until the
   * listener returns, or until the promise that it returned settles.
   */
  image(): Image;
}

/** A problem that does not end the run. */
export interface WarningEvent {
  readonly type: 'warning';
  /** Stable under semver; `docs/errors.md` explains each. Custom sources of weights may send others. */
  readonly code: WarningCode | (string & {});
  readonly message: string;
}

/** The run has been aborted or has failed after its start; the promise rejects next. */
export interface InterruptedEvent {
  readonly type: 'interrupted';
  /** The reason with which the promise will reject. */
  readonly reason: unknown;
  /** Of all stages. */
  readonly evaluations: number;
  /** Loss of the image. */
  readonly loss: number;
  /**
   * A copy of the best image of the stage, or of the result of the one before if the stage has evaluated none yet,
   * [height, width, 3], which belongs to the caller. Only during the event, as in {@link StepEvent}.
   */
  image(): Image;
}

/**
 * Takes the events of a run, in order and one at a time: the run waits for a promise that the listener returns. If the
 * listener throws or rejects at any event, the run ends with that error.
 */
export type ProgressListener = (event: StyleTransferProgress) => void | Promise<void>;
