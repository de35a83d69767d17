import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showText } from '../options/show';
import { owning } from '../owning';
import { leaves, sum, weighted } from './compose';
import { type Loss, type LossTerm, owningLoss, type StatisticTerm } from './loss';
import { lossOfStatistics } from './loss-of-statistics';
import { lossOfTerms } from './loss-of-terms';
import { styleStatistics } from './style-statistics';
import type { TermMask } from './term-mask';

/**
 * A loss whose sums over positions are weighted by a mask. Terms that have a mask already get the product of both.
 *
 * @param mask its weights are not disposed, and not needed by the caller any more
 * @param loss the result owns it
 * @returns a loss with the names of the given one; it belongs to the caller
 * @throws InvalidArgumentError `NOT_A_LOSS` if a part of the loss does not describe itself by terms, or compares
 *   histograms
 */
export function maskLoss(mask: TermMask, loss: Loss): Loss {
  for (const leaf of leaves(loss)) requireTerms(leaf.loss);
  return owning(({ result }) => {
    // Each product once: engines hold masks of one data once.
    const products = new Map<object | undefined, tf.Tensor3D>();
    const weightsWith = (before: tf.Tensor3D | undefined): tf.Tensor3D => {
      const known = products.get(before?.dataId);
      if (known) return known;
      const made: tf.Tensor3D = before ? tf.mul(mask.weights, before) : tf.clone(mask.weights);
      products.set(before?.dataId, result(tf.keep(made)));
      return made;
    };
    const maskTerm = <Term extends LossTerm | StatisticTerm>(term: Term): Term => {
      const mean = term.mask?.mean === 'weights' ? 'weights' : mask.mean;
      return { ...term, mask: { weights: weightsWith(term.mask?.weights), mean } };
    };
    const masked = result(withTerms(loss, maskTerm));
    return owningLoss(masked, [masked, ...products.values()]);
  });
}

/** A loss with each of its terms changed; it owns the given one. */
function withTerms(loss: Loss, change: <Term extends LossTerm | StatisticTerm>(term: Term) => Term): Loss {
  return owning(({ result }) => {
    const { name, terms = [], statistics, parts } = loss;
    if (statistics) return lossOfStatistics(name, statistics.map(change), { held: [loss] });
    if (!parts) return lossOfTerms(name, terms.map(change), { held: [loss] });
    const changed = parts.map((part) => weighted(part.weight, result(withTerms(part.loss, change))));
    return changed.length === 1 ? changed[0] : sum(changed);
  });
}

function requireTerms({ name, terms, statistics }: Loss): void {
  const other = statistics?.find(({ statistic }) => !styleStatistics[statistic].ofMoments);
  if (terms || (statistics && !other)) return;
  const accepted =
    'losses of features, Gram matrices, means and variances, Wasserstein distances and total variation, or a sum of such; a custom loss applies a mask itself';
  const reason = other
    ? `whose statistic '${other.statistic}' orders positions by their values`
    : 'which does not describe itself by terms';
  throw new InvalidArgumentError(
    'NOT_A_LOSS',
    `within cannot mask the loss '${showText(name)}', ${reason}; accepted: ${accepted}.`,
    { option: 'loss', value: name, accepted },
  );
}
