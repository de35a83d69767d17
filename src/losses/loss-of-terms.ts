import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import { registerGradients, unrecorded } from '../gradients';
import type { Owned } from '../owning';
import { distanceBetween, gramDistanceBetween } from './distance';
import { gramMatrix, guidedGramMatrix } from './gram-matrix';
import { type ImageTarget, type Loss, type LossTerm, owningLoss } from './loss';
import { positionWeights } from './pooled-mask';
import { requireFeature, requireSameShape } from './require-features';
import { roughness } from './roughness';

/**
 * A loss that is the weighted sum of terms, as data and as a function.
 *
 * @param held targets and masks that `dispose()` frees; by default the targets. Beside them it frees the maps of image
 *   targets, which the first evaluation computes.
 */
export function lossOfTerms(
  name: string,
  terms: readonly LossTerm[],
  { held = targetsOf(terms) }: { readonly held?: readonly Owned[] } = {},
): Loss {
  const maps = new Map<ImageTarget, tf.Tensor4D>();
  const mapOf = (target: tf.Tensor4D | ImageTarget): tf.Tensor4D => {
    if (target instanceof tf.Tensor) return target;
    const map = maps.get(target) ?? tf.keep(unrecorded(() => target.map()));
    maps.set(target, map);
    return map;
  };
  const compute = (features: Features): tf.Scalar =>
    tf.tidy(() => {
      registerGradients();
      const values = terms.map((term) =>
        tf.mul<tf.Scalar>(valueOfTerm(name, term, features, mapOf), term.weight),
      );
      return values.reduce((a, b) => tf.add(a, b));
    });
  const layers = [...new Set(terms.map(({ layer }) => layer))];
  return owningLoss({ name, layers, compute, terms }, [...held, () => tf.dispose([...maps.values()])]);
}

/** The targets that terms hold. */
function targetsOf(terms: readonly LossTerm[]): Owned[] {
  return terms.flatMap((term) => ('target' in term ? [term.target] : []));
}

/** A term without its weight. */
function valueOfTerm(
  name: string,
  term: LossTerm,
  features: Features,
  mapOf: (target: tf.Tensor4D | ImageTarget) => tf.Tensor4D,
): tf.Scalar {
  const caller = `${name}Loss`;
  const { layer } = term;
  const feature = requireFeature(caller, features, layer);
  const [, height, width] = feature.shape;
  const mask = term.mask && positionWeights(term.mask, height, width);
  if (term.kind === 'totalVariation')
    return roughness(feature, term.distance, mask?.weights, term.mask?.mean);
  if (term.kind === 'gram') {
    const { normalization, target, distance } = term;
    const gram = mask
      ? guidedGramMatrix(feature, mask, normalization)
      : gramMatrix(feature, { normalization });
    requireSameShape(caller, layer, gram, target);
    return gramDistanceBetween(gram, target, distance);
  }
  const target = mapOf(term.target);
  requireSameShape(caller, layer, feature, target);
  if (!mask) return distanceBetween(feature, target, term.distance);
  // sum_k T_k d_k / (c sum_k T_k): the mean over channels and, weighted by the mask, over positions.
  return tf.mul(distanceBetween(feature, target, term.distance, tf.expandDims(mask.weights, 0)), mask.ratio);
}
