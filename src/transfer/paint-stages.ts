import type { Image } from '../image/image';
import { owning } from '../owning';
import type { Schedule } from './schedule';
import { type Painted, paintStage, type StageInputs } from './stage';

/**
 * Paints in stages, each from the image of the one before.
 *
 * @param start remains the caller's
 * @returns the last stage's image, which belongs to the caller, with the history and the counts of all
 */
export async function paintStages(inputs: StageInputs, stages: Schedule, start: Image): Promise<Painted> {
  return owning(async ({ temporary }) => {
    let painted = await paintStage(inputs, { stages, index: 0, start, origin: start });
    for (let index = 1; index < stages.length; index++) {
      const before = painted;
      const { history, iterations, evaluations, ...rest } = await paintStage(inputs, {
        stages,
        index,
        start: temporary(before.image),
        origin: start,
        before,
      });
      painted = {
        ...rest,
        history: [...before.history, ...history],
        iterations: before.iterations + iterations,
        evaluations: before.evaluations + evaluations,
      };
    }
    return painted;
  });
}
