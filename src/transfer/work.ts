import type { Schedule, Stage } from './schedule';

/** How far a stage is. */
interface Position {
  readonly iteration: number;
  /** Evaluations so far, at least 1. */
  readonly evaluations: number;
  readonly secondsPerEvaluation: number;
}

/**
 * The part of a run's work that is done, and the time that the rest takes: iterations left, as many evaluations each as
 * so far, each as long as its pixels.
 */
export function workOf(
  stages: Schedule,
  index: number,
  { iteration, evaluations, secondsPerEvaluation }: Position,
): { readonly done: number; readonly secondsLeft: number } {
  const { iterations, maxEvaluations, ...size } = stages[index];
  const perIteration = evaluations / Math.max(1, iteration);
  const left = Math.min((iterations - iteration) * perIteration, maxEvaluations - evaluations);
  const pixelsPerSecond = pixelsOf(size) / secondsPerEvaluation;
  /** Pixels of all evaluations of other stages. */
  const planned = (others: readonly Stage[]) =>
    others.reduce(
      (sum, stage) => sum + pixelsOf(stage) * Math.min(stage.iterations * perIteration, stage.maxEvaluations),
      0,
    );
  const todo = pixelsOf(size) * left + planned(stages.slice(index + 1));
  const did = planned(stages.slice(0, index)) + pixelsOf(size) * evaluations;
  return { done: did / (did + todo), secondsLeft: todo / pixelsPerSecond };
}

const pixelsOf = ({ width, height }: { readonly width: number; readonly height: number }) => width * height;
