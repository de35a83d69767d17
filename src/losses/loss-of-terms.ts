import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import { registerGradients, unrecorded } from '../gradients';
import type { Owned } from '../owning';
import { sumOf } from '../sums';
import { distanceBetween, gramDistanceBetween } from './distance';
import { gramMatrix } from './gram-matrix';
import { type ImageTarget, type Loss, type LossTerm, owningLoss } from './loss';
import { requireFeature, requireSameShape } from './require-features';
import { roughness } from './roughness';

/**
 * Makes the mask of a region: the weight of each position of a feature map of this size, [height, width, 1] in [0,1].
 */
export type MaskOf = (height: number, width: number) => tf.Tensor3D;

/**
 * A loss that is the weighted sum of terms, as data and as a function.
 *
 * @param maskOf weights of positions; 1 by default. A loss with a mask does not describe itself as data, since engines
 *   know no masks.
 * @param held targets and masks that `dispose()` frees; beside them it frees the maps of image targets, which the first
 *   evaluation computes
 */
export function lossOfTerms(
  name: string,
  terms: readonly LossTerm[],
  { maskOf, held = targetsOf(terms) }: { maskOf?: MaskOf; held?: readonly Owned[] } = {},
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
        tf.mul<tf.Scalar>(valueOfTerm(name, term, features, mapOf, maskOf), term.weight),
      );
      return values.reduce((a, b) => tf.add(a, b));
    });
  const layers = [...new Set(terms.map(({ layer }) => layer))];
  return owningLoss({ name, layers, compute, terms: maskOf ? undefined : terms }, [
    ...held,
    () => tf.dispose([...maps.values()]),
  ]);
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
  maskOf?: MaskOf,
): tf.Scalar {
  const caller = `${name}Loss`;
  const { layer } = term;
  const feature = requireFeature(caller, features, layer);
  const [, height, width, channels] = feature.shape;
  const mask = maskOf?.(height, width);
  if (term.kind === 'totalVariation') return roughness(feature, term.distance, mask);
  if (term.kind === 'gram') {
    const { normalization, target, distance } = term;
    const gram = mask
      ? guidedGramMatrix(feature, mask, (guided) => gramMatrix(guided, { normalization }))
      : gramMatrix(feature, { normalization });
    requireSameShape(caller, layer, gram, target);
    return gramDistanceBetween(gram, target, distance);
  }
  const target = mapOf(term.target);
  requireSameShape(caller, layer, feature, target);
  // sum_k T_k d_k / (c sum_k T_k): the mean over channels and, weighted by the mask, over positions.
  const share = mask && tf.divNoNan(tf.expandDims(mask, 0), tf.mul(sumOf(mask), channels));
  return distanceBetween(feature, target, term.distance, share);
}

/**
 * sum_k T_k F_ki F_kj / sum_k T_k times the number of positions, normalised as without a mask (Gatys et al. 2017, eq.
 * 4): the Gram matrix of sqrt(T) F, scaled so that a region's size does not change its strength.
 */
function guidedGramMatrix(
  feature: tf.Tensor4D,
  mask: tf.Tensor3D,
  gramOf: (feature: tf.Tensor4D) => tf.Tensor2D,
): tf.Tensor2D {
  const gram = gramOf(tf.mul(feature, tf.sqrt(mask)));
  return tf.mul(gram, tf.divNoNan(mask.size, sumOf(mask)));
}
