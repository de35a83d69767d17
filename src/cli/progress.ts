import type { TrainingStepEvent } from '../generators/training/progress';
import type { FilmStepEvent, FramePaintedEvent } from '../node/video/progress';
import type { WeightsProgress } from '../storage/progress';
import type { StyleEvent } from '../transfer/make-style';
import type { PrepareEvent, StartEvent, StepEvent, StyleTransferProgress } from '../transfer/progress';

/** A style that has been added to a style file, with the number of all. */
export interface CountedStyle extends StyleEvent {
  readonly of: number;
}

/** A step of a cell of a sweep. */
export interface CellStep {
  readonly type: 'cell';
  /** 1 is the first. */
  readonly cell: number;
  readonly of: number;
  /** What varies: `beta=1e4 preset=li2021`. */
  readonly title: string;
  /** Part of the whole grid's work that is done, 0 to 1. */
  readonly done: number;
  /** Until the end of the grid, estimated from the pace so far. */
  readonly secondsLeft: number;
  readonly step: StepEvent;
}

/** A step of a training. */
export interface TrainedStep {
  readonly type: 'trained';
  readonly step: TrainingStepEvent;
}

/** Shows how far a run is. */
export interface ProgressDisplay {
  show(
    event: StyleTransferProgress | CountedStyle | CellStep | TrainedStep | FilmStepEvent | FramePaintedEvent,
  ): void;
  /** Writes a line of its own, as warnings need. */
  line(text: string): void;
  /** Ends the display; the next text starts on a new line. */
  end(): void;
}

/**
 * A step in words: `12/100  loss 345.6  0.45 s/evaluation  40 s left`; in a run of several stages `size 2 of 3` comes
 * first.
 */
export function describeStep({
  stage,
  iteration,
  iterations,
  loss,
  secondsPerEvaluation,
  secondsLeft,
}: StepEvent): string {
  const width = String(iterations).length;
  return [
    ...(stage.count > 1 ? [`size ${stage.index + 1} of ${stage.count}`] : []),
    `${String(iteration).padStart(width)}/${iterations}`,
    `loss ${loss.toPrecision(5)}`,
    `${secondsPerEvaluation.toPrecision(2)} s/evaluation`,
    `${duration(secondsLeft)} left`,
  ].join('  ');
}

/** A step of a sweep in words: `cell 3 of 12, 12/100  loss 345.6  0.45 s/evaluation  6 min 40 s left`. */
export const describeCell = ({ cell, of, step, secondsLeft }: CellStep): string =>
  `cell ${cell} of ${of}, ${describeStep({ ...step, secondsLeft })}`;

/** A step of a training in words: `120/400  loss 1.93  0.25 s/step at 128 pixels  1 min 10 s left`. */
export const describeTraining = ({
  step: { step, steps, size, meanLoss, secondsPerStep, secondsLeft },
}: TrainedStep): string =>
  [
    `${String(step).padStart(String(steps).length)}/${steps}`,
    `loss ${meanLoss.toPrecision(3)}`,
    `${secondsPerStep.toPrecision(2)} s/step at ${size} pixels`,
    `${duration(secondsLeft)} left`,
  ].join('  ');
/** A step of a film in words: `frame 3 of 120, 12/34  loss 345.6  0.45 s/evaluation  6 min 40 s left`. */
export const describeFrame = ({ index, of, step, secondsLeft }: FilmStepEvent): string =>
  `frame ${index + 1} of ${of}, ${describeStep({ ...step, secondsLeft })}`;

/** Styles that have been added, in words: `2 of 5 styles`. */
export const describeStyles = ({ styles, of }: CountedStyle): string => `${styles} of ${of} styles`;

/** The start of a stage: `size 2 of 3: 4096x2730, 12 tiles, 3.9 GB planned`. */
export function describeStart({ stage, plan }: StartEvent): string {
  const { index, count, width, height } = stage;
  return [
    `${count > 1 ? `size ${index + 1} of ${count}: ` : ''}${width}x${height}`,
    ...(plan.tiles > 1 ? [`${plan.tiles} tiles`] : []),
    `${plan.bytes < 1e9 ? `${megabytes(plan.bytes)} MB` : `${(plan.bytes / 1e9).toFixed(1)} GB`} planned`,
  ].join(', ');
}

/** What the engine makes ready, in words: `12 of 40 kernels for the GPU`. */
export const describePreparation = ({ done, total }: PrepareEvent): string =>
  `${done} of ${total} kernels for the GPU`;

/** Weights that are read, in words: `weights block3_conv1  12.3 of 80.1 MB  5 s left`. */
export function describeWeights({ name, loadedBytes, totalBytes, secondsLeft }: WeightsProgress): string {
  const loaded = megabytes(loadedBytes);
  return [
    `weights ${name}`,
    totalBytes === undefined ? `${loaded} MB` : `${loaded} of ${megabytes(totalBytes)} MB`,
    ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
  ].join('  ');
}

/** `45 s`, `2 min 05 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two((whole % 3600) / 60)} min`;
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
