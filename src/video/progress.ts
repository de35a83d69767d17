import type { WeightsProgress } from '../storage/progress';
import type { PrepareEvent, StartEvent, StepEvent, WarningEvent } from '../transfer/progress';

/** An event of `styleVideo`, distinguished by `type`. */
export type VideoProgress = WeightsProgress | WarningEvent | FrameStartEvent | PrepareEvent | FrameStepEvent;

/** The run of the first frame that is painted starts: network, size and memory are those of all frames. */
export interface FrameStartEvent extends StartEvent {}

/** A step of a frame. */
export interface FrameStepEvent {
  readonly type: 'frame';
  /** Number of the frame; 0 is the first. */
  readonly index: number;
  readonly step: StepEvent;
}

/** Takes the events of a film, in order and one at a time: the run waits for a promise that the listener returns. */
export type VideoProgressListener = (event: VideoProgress) => void | Promise<void>;
