import type { Image } from '../../image/image';
import type { ProgressChannel } from '../../transfer/progress-channel';
import type { TrainingState } from './checkpoint';
import { preview } from './held-out';
import type { TrainingProgress } from './progress';
import { cropSizeAt, pixelsBefore } from './stages';
import { type TrainingLoop, trainStep } from './training-loop';

/** Steps from one checkpoint to the next. */
const keepEvery = 25;

/** Takes the steps that are left, with events, previews and checkpoints. */
export async function takeSteps(
  loop: TrainingLoop,
  state: TrainingState,
  {
    steps,
    held,
    interval,
    keep,
    progress,
  }: {
    readonly steps: number;
    readonly held: readonly Image[];
    readonly interval: number;
    /** Writes the checkpoint; undefined if there is none. */
    readonly keep: (() => Promise<void>) | undefined;
    readonly progress: ProgressChannel<TrainingProgress>;
  },
): Promise<void> {
  const { stages, signal } = loop;
  const [whole, before] = [steps, state.step].map((step) => pixelsBefore(stages, step));
  // A listener may hold the training for as long as it likes.
  const now = () => performance.now() - progress.settledMs;
  const startTime = now();
  let kept = state.step;
  try {
    while (state.step < steps) {
      // A turn for other tasks, such as the one that aborts.
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
      const { value, terms } = await trainStep(loop, state);
      const { step } = state;
      const did = pixelsBefore(stages, step);
      const size = cropSizeAt(stages, step - 1);
      const elapsedMs = now() - startTime;
      const secondsPerPixel = elapsedMs / 1000 / (did - before);
      await progress.send({
        type: 'step',
        step,
        steps,
        size,
        loss: value,
        terms,
        meanLoss: state.meanLoss as number,
        elapsedMs,
        secondsPerStep: secondsPerPixel * size ** 2,
        secondsLeft: secondsPerPixel * (whole - did),
        done: did / whole,
      });
      if (step % keepEvery === 0 || step === steps) {
        await keep?.();
        kept = step;
      }
      if (held.length > 0 && (step % interval === 0 || step === steps))
        await preview(held, loop, state.parameters, (shown) =>
          progress.send({ type: 'preview', step, ...shown }),
        );
    }
  } catch (error) {
    await progress.finish({
      type: 'interrupted',
      reason: progress.reasonFor(error),
      step: state.step,
      kept: keep !== undefined && state.step > 0 && (kept === state.step || (await succeeds(keep))),
    });
    throw error;
  }
}

/** Whether work succeeds: the reason of a training's end matters more than a checkpoint that cannot be written. */
const succeeds = (work: () => Promise<void>): Promise<boolean> =>
  work().then(
    () => true,
    () => false,
  );
