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
  // The start of a later frame is painted already, and a balance is of the first one's terms where nothing is.
  const origin = inputs.later ? inputs.content : start;
  return owning(async ({ temporary }) => {
    let painted = await paintStage(inputs, { stages, index: 0, start, origin });
    for (let index = 1; index < stages.length; index++) {
      const before = painted;
      const { history, iterations, evaluations, ...rest } = await paintStage(inputs, {
        stages,
        index,
        start: temporary(before.image),
        origin,
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
