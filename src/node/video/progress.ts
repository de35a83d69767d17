import type { WeightsProgress } from '../../storage/progress';
import type { PrepareEvent, WarningEvent } from '../../transfer/progress';
import type { FrameStartEvent, FrameStepEvent } from '../../video/progress';

/** An event of `styleVideoFile`, distinguished by `type`. */
export type FilmProgress =
  | WeightsProgress
  | WarningEvent
  | FrameStartEvent
  | PrepareEvent
  | FilmStepEvent
  | FramePaintedEvent;

/** A step of a frame, with the film's progress. */
export interface FilmStepEvent extends FrameStepEvent {
  /** Number of frames of the film. */
  readonly of: number;
  /** Part of the film that is painted, 0 to 1. */
  readonly done: number;
  /** Until the last frame, estimated from the pace so far. */
  readonly secondsLeft: number;
}

/** A frame has been painted and written. */
export interface FramePaintedEvent {
  readonly type: 'painted';
  /** Number of the frame; 0 is the first. */
  readonly index: number;
  readonly of: number;
  /** Its file in the work folder. */
  readonly file: string;
  readonly loss: number;
  readonly seconds: number;
}

/** Takes the events of a film, in order and one at a time: the run waits for a promise that the listener returns. */
export type FilmProgressListener = (event: FilmProgress) => void | Promise<void>;
