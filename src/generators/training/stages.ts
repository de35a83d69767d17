/** Steps on crops of one size. */
export interface TrainingStage {
  /** Height and width of the crops in pixels. */
  readonly size: number;
  readonly steps: number;
}

/**
 * How many of the last steps take crops of the whole size, each of which costs four times as much: a growing part of
 * more steps, half of them from 1600 for each style on. Few steps are better spent on more crops; after many, only
 * larger crops show the network what it still lacks.
 */
export const usualFinalSteps = (steps: number, styles: number): number =>
  Math.round(steps * Math.min(1 / 2, steps / styles / 3200));

/**
 * Stages of a training: crops of half the size first, then of the whole size.
 *
 * @param size of the last stage; half of it is a multiple of what the network's strides need
 * @param finalSteps steps of the last stage, at most `steps`
 */
export function trainingStages(steps: number, size: number, finalSteps: number): readonly TrainingStage[] {
  const stages = [
    { size: size / 2, steps: steps - finalSteps },
    { size, steps: finalSteps },
  ];
  return stages.filter((stage) => stage.steps > 0);
}

/** The size of the crop of a step, from 0. */
export function cropSizeAt(stages: readonly TrainingStage[], step: number): number {
  let end = 0;
  for (const stage of stages) {
    end += stage.steps;
    if (step < end) return stage.size;
  }
  throw new RangeError(`There are ${end} steps; ${step} is not one of them.`);
}

/** Pixels of the crops of the steps before `step`: a measure of the work done. */
export function pixelsBefore(stages: readonly TrainingStage[], step: number): number {
  let [left, pixels] = [step, 0];
  for (const stage of stages) {
    const done = Math.min(left, stage.steps);
    pixels += done * stage.size ** 2;
    left -= done;
  }
  return pixels;
}
