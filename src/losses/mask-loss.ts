import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showText } from '../options/show';
import { owning } from '../owning';
import { leaves, sum, weighted } from './compose';
import { type Loss, type LossTerm, owningLoss } from './loss';
import { lossOfTerms } from './loss-of-terms';
import type { TermMask } from './term-mask';

/**
 * A loss whose sums over positions are weighted by a mask. Terms that have a mask already get the product of both.
 *
 * @param mask its weights are not disposed, and not needed by the caller any more
 * @param loss the result owns it
 * @returns a loss with the names of the given one; it belongs to the caller
 * @throws InvalidArgumentError `NOT_A_LOSS` if a part of the loss does not describe itself by terms
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
    const maskTerm = (term: LossTerm): LossTerm => {
      const mean = term.mask?.mean === 'weights' ? 'weights' : mask.mean;
      return { ...term, mask: { weights: weightsWith(term.mask?.weights), mean } };
    };
    const masked = result(withTerms(loss, maskTerm));
    return owningLoss(masked, [masked, ...products.values()]);
  });
}

/** A loss with each of its terms changed; it owns the given one. */
function withTerms(loss: Loss, change: (term: LossTerm) => LossTerm): Loss {
  return owning(({ result }) => {
    const { name, terms = [], parts } = loss;
    if (!parts) return lossOfTerms(name, terms.map(change), { held: [loss] });
    const changed = parts.map((part) => weighted(part.weight, result(withTerms(part.loss, change))));
    return changed.length === 1 ? changed[0] : sum(changed);
  });
}

function requireTerms({ name, terms }: Loss): void {
  if (terms) return;
  const accepted = 'a loss of this library, or a sum of such; a custom loss applies a mask itself';
  throw new InvalidArgumentError(
    'NOT_A_LOSS',
    `within cannot mask the loss '${showText(name)}', which does not describe itself by terms; accepted: ${accepted}.`,
    { option: 'loss', value: name, accepted },
  );
}
