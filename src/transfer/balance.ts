import * as tf from '@tensorflow/tfjs-core';
import { ComputationError } from '../errors';
import type { Image } from '../image/image';
import { sum, weighted } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { namedLeaves, type Objective } from '../objective';
import { adam, minimize } from '../optim';
import { owning } from '../owning';

/** A loss whose terms are divided by a value of their own each. */
export interface BalancedLoss {
  /** Consists of parts of the loss that was balanced, which owns them: it need not be disposed. */
  readonly loss: Loss;
  /** What each term was divided by, by its name; terms of weight 0 are not among them. */
  readonly divisors: Readonly<Record<string, number>>;
  /** Names of terms that are 0 at both images: their divisor is 1. */
  readonly unbalanced: readonly string[];
}

/** What {@link balanceLoss} needs beside the loss. */
export interface BalanceInputs {
  /** The image that the run starts from, at the size of the stage. It remains the caller's. */
  readonly start: Image;
  /** The content image, at the size of the stage. It remains the caller's. */
  readonly content: Image;
  readonly signal: AbortSignal;
  /** Makes the objective of the loss, which belongs to the caller. */
  objectiveOf(loss: Loss): Objective;
}

/**
 * Divides each term of a loss by its value where nothing has been painted yet, so that the weights of its terms compare
 * effort: content 1 and style 100 weigh the same at every size and for every statistic.
 *
 * That value is the term's at the start image. Terms that are nearly 0 there, as the content's where the start is the
 * content image, are divided by their value at a flat image of the content's mean colour instead, which has nothing of
 * the content: 1 means that all of it is lost. (For one layer and squared differences, that is near the variance of the
 * layer's features, by which relative content losses are divided.) Takes two evaluations.
 *
 * @param loss remains the caller's
 * @throws ComputationError `NOT_FINITE` if the loss is not finite at the start; the signal's reason once it is aborted
 */
export async function balanceLoss(
  loss: Loss,
  { start, content, signal, objectiveOf }: BalanceInputs,
): Promise<BalancedLoss> {
  const parts = namedLeaves(loss);
  const [atStart, atFlat] = await owning<Promise<readonly Terms[]>>(async ({ temporary }) => {
    const objective = temporary(objectiveOf(loss));
    const flat = temporary(flatImage(content));
    return [
      await termsAt(objective, start, signal),
      // A term may have no gradient where nothing varies; then that image is no reference for any.
      await termsAt(objective, flat, signal).catch((error: unknown) => {
        if (error instanceof ComputationError && error.code === 'NOT_FINITE') return {};
        throw error;
      }),
    ];
  });
  const divisors: Record<string, number> = {};
  const unbalanced: string[] = [];
  const balanced = parts.map(({ name, weight, loss: leaf }) => {
    if (weight === 0) return weighted(0, leaf);
    const [initial, flat] = [atStart, atFlat].map((terms) => Math.abs(terms[name] ?? 0) / weight);
    const divisor = initial > leastShare * flat ? initial : flat;
    if (divisor < least) unbalanced.push(name);
    divisors[name] = divisor < least ? 1 : divisor;
    return weighted(weight / divisors[name], leaf);
  });
  return { loss: sum(balanced), divisors, unbalanced };
}

/** Part of the value at the flat image from which on the value at the start is taken. */
const leastShare = 0.01;

/** Smaller values are rounding errors: features and images are of the order of 1. */
const least = 1e-20;

/** Weighted contributions of the terms by their names. */
type Terms = Readonly<Partial<Record<string, number>>>;

/** The terms of an objective at an image. */
async function termsAt(objective: Objective, image: Image, signal: AbortSignal): Promise<Terms> {
  // Evaluates in the engine's memory, in turns. Adam keeps no history, for which there may be no room.
  const { x, terms } = await minimize(objective, image, { method: adam(), maxIterations: 0, signal });
  x.dispose();
  return terms;
}

/** The mean colour of an image everywhere. */
const flatImage = (image: Image): Image =>
  tf.tidy(() => tf.tile(tf.mean<Image>(image, [0, 1], true), [image.shape[0], image.shape[1], 1]));
