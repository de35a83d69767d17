/** Steps on crops of one size. */
export interface TrainingStage {
  /** Height and width of the crops in pixels. */
  readonly size: number;
  readonly steps: number;
}

/** The part of the steps that the last stage takes, each of which costs four times as much. */
const lastShare = 0.07;

/**
 * Stages of a training: most steps on crops of half the size, the last 7 % on crops of the whole size, in which the
 * network sees larger shapes.
 *
 * @param size of the last stage; half of it is a multiple of what the network's strides need
 */
export function trainingStages(steps: number, size: number): readonly TrainingStage[] {
  const last = Math.round(lastShare * steps);
  const stages = [
    { size: size / 2, steps: steps - last },
    { size, steps: last },
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
