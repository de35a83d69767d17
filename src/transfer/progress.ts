import type { WarningCode } from '../error-codes';
import type { Image } from '../image/image';
import type { WeightsProgress } from '../storage/progress';
import type { PresetName } from './presets';
import type { RunFacts } from './run-facts';

/** An event of a run of `styleTransfer`, distinguished by `type`. */
export type StyleTransferProgress =
  | WeightsProgress
  | StartEvent
  | StepEvent
  | WarningEvent
  | InterruptedEvent;

/** Everything is loaded and checked; the first evaluation comes next. */
export interface StartEvent extends RunFacts {
  readonly type: 'start';
  /** Size of the painted image in pixels. */
  readonly width: number;
  readonly height: number;
  /** Undefined if the option `loss` replaces the preset. */
  readonly preset: PresetName | undefined;
  /** The layers that the loss reads. */
  readonly layers: readonly string[];
}

/** The start has been evaluated (iteration 0), or the optimiser has accepted a step. */
export interface StepEvent {
  readonly type: 'step';
  /** 0 is the start itself. */
  readonly iteration: number;
  /** Iterations at most. */
  readonly iterations: number;
  readonly evaluations: number;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  readonly secondsPerEvaluation: number;
  /** Estimated from the pace so far. */
  readonly secondsLeft: number;
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
  readonly evaluations: number;
  /** Loss of the best image so far. */
  readonly loss: number;
  /**
   * A copy of the best image so far, [height, width, 3], which belongs to the caller. Only during the event, as in
   * {@link StepEvent}.
   */
  image(): Image;
}

/**
 * Takes the events of a run, in order and one at a time: the run waits for a promise that the listener returns. If the
 * listener throws or rejects at any event, the run ends with that error.
 */
export type ProgressListener = (event: StyleTransferProgress) => void | Promise<void>;
