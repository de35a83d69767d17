import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../../../features/extractor';
import type { LayerName } from '../../../features/layer-name';
import type { Loss, LossTerm } from '../../../losses/loss';
import { requireSameShape } from '../../../losses/targets';
import { namedLeaves, type Objective, valueAndCotangents } from '../../../objective';
import { addCotangent, tensorOf } from '../network/feature-tensors';
import type { Network } from '../network/network';
import { type Map2d, Pass } from '../network/pass';
import { type PassOptions, planPass } from '../network/pass-plan';
import { gramTerm } from './gram-term';
import { patchGramTerm } from './patch-gram-term';
import { type EngineTerm, featureTerm, variationTerm, wholeVectors } from './terms';

/** A leaf of the loss: terms that the engine evaluates where features lie, or a loss that goes through tfjs for its own layers. */
type Part = {
  readonly name: string;
  readonly weight: number;
} & (
  | { readonly terms: readonly { readonly term: LossTerm; readonly engineTerm: EngineTerm }[] }
  | { readonly loss: Loss }
);

/** Loss and gradient as numbers in the engine's memory. */
export interface FusedEvaluation {
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  /** A view, until the next evaluation. */
  readonly gradient: Float32Array;
}

/** An objective that takes and gives numbers too, without tensors. */
export interface FusedObjective extends Objective {
  /** Loss and gradient at an image [height][width][3]. */
  compute(image: Float32Array): FusedEvaluation;
}

/**
 * Loss and gradient without features leaving the engine's memory. Losses without terms are computed by tfjs
 * from their own layers only.
 */
export function fusedObjective(network: Network, loss: Loss, height: number, width: number): FusedObjective {
  const { engine } = network;
  const { memory } = engine;
  const found = namedLeaves(loss).map(({ name, weight, loss: leaf }) => {
    const terms = leaf.terms?.every(isEngineTerm) ? leaf.terms : undefined;
    return { name, weight, loss: leaf, terms };
  });
  // The map of conv1_1, a quarter of the memory, is needed unless all that asks for it are Gram terms.
  const patches = found.every(({ loss: leaf, terms }) =>
    terms
      ? terms.every(({ layer, kind }) => layer !== 'relu1_1' && (layer !== 'conv1_1' || kind === 'gram'))
      : !leaf.layers.some((layer) => layer === 'relu1_1' || layer === 'conv1_1'),
  );
  const targets = found.flatMap(({ terms = [] }) =>
    terms.filter(({ kind }) => kind === 'feature').map(({ layer }) => layer),
  );
  const options = { layers: loss.layers, backward: 'once', patches } as const;
  requireRoomFor(network, [height, width], options, targets);
  const engineTermOf = (term: LossTerm) => {
    if (term.kind === 'feature') return featureTerm(engine, term);
    if (term.kind === 'totalVariation') return variationTerm(engine, term);
    return patches && term.layer === 'conv1_1' ? patchGramTerm(network, term) : gramTerm(engine, term);
  };
  const parts: Part[] = found.map(({ name, weight, loss: leaf, terms }) =>
    terms
      ? { name, weight, terms: terms.map((term) => ({ term, engineTerm: engineTermOf(term) })) }
      : { name, weight, loss: leaf },
  );
  const pass = new Pass(network, height, width, options);
  const pixels = wholeVectors(height * width * 3);
  const gradient = memory.allocateFloats(pixels);
  // The image as it is, for losses of it itself.
  const own = loss.layers.includes('image') ? memory.allocateFloats(pixels) : 0;
  const ownMap: Map2d = { address: own, height, width, channels: 3, relu: false };
  const mapOf = (layer: LayerName): Map2d => (layer === 'image' ? ownMap : pass.map(layer));

  /** Values of the losses that tfjs computes, and gradients with respect to their own layers. */
  const byTfjs = () =>
    parts
      .flatMap((part) => ('loss' in part ? [part] : []))
      .map(({ name, weight, loss: leaf }) =>
        tf.tidy(() => {
          const features = Object.fromEntries(
            leaf.layers.map((layer) => [layer, tensorOf(engine, mapOf(layer))]),
          ) as Features;
          const { value, gradients } = valueAndCotangents(leaf, features);
          return { name, weight, value: weight * value.dataSync()[0], gradients: { ...gradients } };
        }),
      );

  function compute(image: Float32Array): FusedEvaluation {
    pass.forward(image);
    if (own) {
      memory.floats(own, pixels).fill(0, image.length);
      memory.floats(own, image.length).set(image);
    }
    const terms: Record<string, number> = Object.fromEntries(parts.map(({ name }) => [name, 0]));
    const others = tf.tidy(byTfjs);
    const contribute = (layer: LayerName, map: Map2d, to: number) => {
      for (const part of parts) {
        if (!('terms' in part)) continue;
        for (const { term, engineTerm } of part.terms) {
          if (term.layer !== layer) continue;
          const weight = part.weight * term.weight;
          terms[part.name] += weight * engineTerm.evaluate(map, to, weight);
        }
      }
      for (const { weight, gradients } of others) {
        const cotangent = gradients[layer];
        if (cotangent) addCotangent(engine, cotangent, map, to, weight);
      }
    };
    try {
      for (const { name, value } of others) terms[name] = value;
      pass.backward(loss.layers, contribute, gradient);
      if (own) contribute('image', ownMap, gradient);
    } finally {
      tf.dispose(others.map(({ gradients }) => gradients) as tf.TensorContainer);
    }
    const value = Object.values(terms).reduce((a, b) => a + b, 0);
    return { value, terms, gradient: memory.floats(gradient, image.length) };
  }

  return {
    compute,
    evaluate: (image) => {
      requireSameShape('objective', 'image', image, { shape: [height, width, 3] } as tf.Tensor);
      const { value, terms, gradient: found } = compute(image.dataSync<'float32'>());
      return {
        value: tf.scalar(value),
        gradient: tf.tensor3d(found.slice(), [height, width, 3]),
        terms: Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, tf.scalar(term)])),
      };
    },
    dispose() {
      pass.dispose();
      memory.release(gradient);
      if (own) memory.release(own);
      for (const part of parts)
        if ('terms' in part) for (const { engineTerm } of part.terms) engineTerm.dispose();
    },
  };
}

/** Throws unless there is room for a pass at a size and, beside it, for `targets` of feature maps' sizes. */
export function requireRoomFor(
  network: Network,
  [height, width]: readonly [height: number, width: number],
  options: PassOptions,
  targets: readonly LayerName[],
): void {
  const plan = planPass(network, height, width, options);
  const { stages } = plan.at(0);
  const targetFloats = targets.map((layer) => {
    const place = network.places.get(layer);
    if (!place) return height * width * 3;
    const map = stages[place.stage];
    return map.height * map.width * map.channels;
  });
  const all = [height * width * 3, ...targetFloats].reduce((sum, floats) => sum + 4 * floats, plan.bytes);
  const { memory } = network.engine;
  const side = Math.floor(Math.sqrt((memory.most / all) * height * width) / 16) * 16;
  memory.requireRoom(all, `An image of ${width} x ${height} pixels`, `about ${side} x ${side} pixels`);
}

/** Whether the engine evaluates a term itself: features and Gram matrices of layers, pixels and total variation of the image. */
function isEngineTerm({ kind, layer }: LossTerm): boolean {
  return kind === 'feature' || (layer === 'image') === (kind === 'totalVariation');
}
