import * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor } from '../engines/engine';
import type { Image } from '../image/image';
import type { Size } from '../image/size-rule';
import { imageFrom } from '../image/to-image';
import { createObjective } from '../objective';
import { minimize, type StopReason } from '../optim';
import { owning } from '../owning';
import { BestImage } from './best-image';
import { makeLoss } from './make-loss';
import { defaultOptimizer, type Settings } from './options';
import type { WeightedStyle } from './preset-loss';
import type { ProgressChannel } from './progress-channel';
import type { RunFacts } from './run-facts';

/** The state of a run after an iteration. */
export interface HistoryEntry {
  /** 0 is the start itself. */
  readonly iteration: number;
  readonly evaluations: number;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
}

/** Inputs common to all stages of a run. A stage disposes none of them. */
export interface StageInputs {
  readonly settings: Settings;
  readonly extractor: EngineExtractor;
  readonly facts: RunFacts;
  /** Content image of any size; a stage resizes it. */
  readonly content: Image;
  readonly styles: readonly WeightedStyle[];
  readonly progress: ProgressChannel;
}

/** The result of a stage. */
export interface Painted {
  /** The image of the lowest loss, [height, width, 3]; it belongs to the caller of the stage. */
  readonly image: Image;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  /** The start and every iteration, in order. */
  readonly history: readonly HistoryEntry[];
  readonly iterations: number;
  readonly evaluations: number;
  readonly stopReason: StopReason;
}

/**
 * One stage of a run: minimises the loss at one size.
 *
 * @param start first image of the minimisation, at any size; it remains the caller's
 * @throws any error of the loss, the extractor or the listener; the signal's reason
 */
export async function paintStage(inputs: StageInputs, size: Size, start: Image): Promise<Painted> {
  return owning(async (owner) => {
    const { settings, extractor, facts, styles, progress } = inputs;
    const { width, height } = size;
    const content = owner.temporary(await atSize('content', inputs.content, size));
    const loss = await makeLoss(settings, { extractor, content, styles }, owner);
    const objective = owner.temporary(createObjective(extractor, loss, [height, width]));
    const first = owner.temporary(await atSize('init', start, size));
    const best = owner.temporary(new BestImage(first));
    const preset = settings.loss ? undefined : settings.preset.name;
    try {
      await progress.send({ type: 'start', width, height, preset, ...facts, layers: loss.layers });
      const history: HistoryEntry[] = [];
      const found = await minimize(objective, first, {
        method: settings.optimizer ?? defaultOptimizer(),
        bounds: [0, 1],
        maxIterations: settings.iterations,
        maxEvaluations: settings.maxEvaluations ?? Infinity,
        tolerance: settings.tolerance,
        signal: progress.signal,
        onStep: recorder(settings, history, best, progress),
      });
      const { value, terms, iterations, evaluations, stopReason } = found;
      return {
        image: owner.result(found.x),
        loss: value,
        terms,
        history,
        iterations,
        evaluations,
        stopReason,
      };
    } catch (error) {
      await progress.finish({
        type: 'interrupted',
        reason: progress.reasonFor(error),
        loss: best.loss,
        evaluations: best.evaluations,
        image: () => best.copy(),
      });
      throw error;
    }
  });
}

/** The part of a `MinimizeStep` that is used here. */
interface Step {
  readonly iteration: number;
  readonly evaluations: number;
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly x: Image;
}

/** Makes the `onStep` of a stage: adds each step to the history, keeps the best image, and calls the listener. */
function recorder(
  { iterations, maxEvaluations = Infinity }: Settings,
  history: HistoryEntry[],
  best: BestImage,
  progress: ProgressChannel,
): (step: Step) => Promise<void> {
  const startTime = performance.now();
  return async (step) => {
    const { iteration, evaluations, value: loss, terms } = step;
    const elapsedMs = performance.now() - startTime;
    history.push({ iteration, evaluations, loss, terms, elapsedMs });
    best.offer(step.x, loss, evaluations);
    const secondsPerEvaluation = elapsedMs / 1000 / evaluations;
    const evaluationsLeft = Math.min(
      ((iterations - iteration) * evaluations) / Math.max(1, iteration),
      maxEvaluations - evaluations,
    );
    await progress.send({
      type: 'step',
      iteration,
      iterations,
      evaluations,
      loss,
      terms,
      elapsedMs,
      secondsPerEvaluation,
      secondsLeft: evaluationsLeft * secondsPerEvaluation,
      image: () => tf.clone(step.x),
    });
  };
}

/** An image resized; always a new tensor. */
async function atSize(option: string, image: Image, size: Size): Promise<Image> {
  const [height, width] = image.shape;
  return width === size.width && height === size.height ? tf.clone(image) : imageFrom(option, image, size);
}
