import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../../../features/extractor';
import type { LayerName } from '../../../features/layer-name';
import type { Loss, LossTerm } from '../../../losses/loss';
import { namedLeaves, type Objective, type ObjectiveOptions, valueAndCotangents } from '../../../objective';
import { Lifetime, owning } from '../../../owning';
import { Blocks } from '../blocks';
import { addCotangent, tensorOf } from '../network/feature-tensors';
import { isFirstConvolution, type Network } from '../network/network';
import { type FeatureMap, Pass } from '../network/pass';
import { layerShape, type PassOptions } from '../network/pass-plan';
import { requireRoomAt, roomIn, type Size } from '../require-room';
import { tensorValues } from '../tensor-values';
import { gramTerm } from './gram-term';
import { patchGramTerm } from './patch-gram-term';
import { objectiveBytes } from './room';
import { type EngineTerm, featureTerm, variationTerm, wholeVectors } from './terms';

/**
 * A leaf of the loss: terms that the engine evaluates itself, or a loss that tfjs computes from its layers' features.
 */
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

/** An objective that can also be evaluated without tensors. */
export interface FusedObjective extends Objective {
  /** Loss and gradient at an image [height][width][3]. */
  compute(image: Float32Array): FusedEvaluation;
}

/**
 * Makes an objective that computes loss and gradient inside the engine's memory. Losses without terms are computed by
 * tfjs, from the features of their own layers.
 *
 * @throws InvalidArgumentError `WRONG_SHAPE` if a target does not have the shape of its layer at this size
 * @throws EnvironmentError `OUT_OF_MEMORY`, before any work, if the engine has no room
 */
export function fusedObjective(
  network: Network,
  loss: Loss,
  size: Size,
  { room = Number.POSITIVE_INFINITY }: ObjectiveOptions = {},
): FusedObjective {
  network.requireAlive();
  const { engine, places } = network;
  const { memory } = engine;
  const [height, width] = size;
  const lifetime = new Lifetime('The objective');
  const found = namedLeaves(loss).map(({ name, weight, loss: leaf }) => {
    const terms = leaf.terms?.every((term) => isEngineTerm(term, network)) ? leaf.terms : undefined;
    return { name, weight, loss: leaf, terms };
  });
  const terms = found.flatMap((part) => part.terms ?? []);
  const byTfjsLayers = found.flatMap((part) => (part.terms ? [] : part.loss.layers));
  const isFirst = (layer: LayerName) => places.get(layer)?.stage === 0;
  // The map of the first convolution is a quarter of the memory. Its Gram terms do not need it; all other terms do.
  const firstFromImage =
    terms.every(
      ({ layer, kind }) => !isFirst(layer) || (kind === 'gram' && isFirstConvolution(network, layer)),
    ) && !byTfjsLayers.some(isFirst);
  const options: PassOptions = { layers: loss.layers, backward: 'once', firstFromImage };
  const layersOf = (kind: LossTerm['kind']) =>
    terms.filter((term) => term.kind === kind).map(({ layer }) => layer);
  const request = {
    options,
    features: layersOf('feature'),
    grams: layersOf('gram'),
    cotangents: byTfjsLayers,
  };
  requireRoomAt(Math.min(room, roomIn(memory)), 'An image', size, (at) =>
    objectiveBytes(network, at, request),
  );

  const engineTermOf = (term: LossTerm): EngineTerm => {
    if (term.kind === 'totalVariation') return variationTerm(engine, term);
    const shape = layerShape(network, size, term.layer);
    const expected = term.kind === 'gram' ? [shape[3], shape[3]] : shape;
    return owning(({ temporary }) => {
      const tensor = term.target instanceof tf.Tensor ? term.target : temporary(term.target.map());
      const target = tensorValues(tensor, `The target of ${term.layer}`, expected, term.layer);
      if (term.kind === 'feature') return featureTerm(engine, term, target);
      return firstFromImage && isFirst(term.layer)
        ? patchGramTerm(network, term, target)
        : gramTerm(engine, term, target);
    });
  };

  return owning(({ result }): FusedObjective => {
    const blocks = result(new Blocks(memory));
    const pass = result(new Pass(network, height, width, options));
    const parts: readonly Part[] = found.map(({ name, weight, loss: leaf, terms }) =>
      terms
        ? { name, weight, terms: terms.map((term) => ({ term, engineTerm: result(engineTermOf(term)) })) }
        : { name, weight, loss: leaf },
    );
    const engineTerms = parts.flatMap((part) => ('terms' in part ? part.terms : []));
    const pixels = wholeVectors(height * width * 3);
    const gradient = blocks.allocateFloats(pixels);
    // The image, for losses of the image itself.
    const own = loss.layers.includes('image') ? blocks.allocateFloats(pixels) : 0;
    const ownMap: FeatureMap = { address: own, height, width, channels: 3, relu: false, fromImage: false };
    const mapOf = (layer: LayerName): FeatureMap => (layer === 'image' ? ownMap : pass.map(layer));

    const accumulate = (layer: LayerName, map: FeatureMap): void => {
      for (const { term, engineTerm } of engineTerms) if (term.layer === layer) engineTerm.accumulate(map);
    };

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
      lifetime.requireAlive();
      if (own) {
        memory.floats(own, pixels).fill(0, image.length);
        memory.floats(own, image.length).set(image);
      }
      pass.forward(image, accumulate);
      if (own) accumulate('image', ownMap);
      const values: Record<string, number> = Object.fromEntries(parts.map(({ name }) => [name, 0]));
      return owning(({ temporary }) => {
        const others = tf.tidy(byTfjs);
        for (const { name, value, gradients } of others) {
          temporary(gradients);
          values[name] = value;
        }
        const contribute = (layer: LayerName, map: FeatureMap, to: number) => {
          for (const part of parts) {
            if (!('terms' in part)) continue;
            for (const { term, engineTerm } of part.terms) {
              if (term.layer !== layer) continue;
              const weight = part.weight * term.weight;
              engineTerm.contribute(map, to, weight);
              values[part.name] += weight * engineTerm.value();
            }
          }
          for (const { weight, gradients } of others) {
            const cotangent = gradients[layer];
            if (cotangent) addCotangent(engine, layer, cotangent, map, to, weight);
          }
        };
        pass.backward(loss.layers, contribute, gradient);
        if (own) contribute('image', ownMap, gradient);
        const value = Object.values(values).reduce((a, b) => a + b, 0);
        return { value, terms: values, gradient: memory.floats(gradient, image.length) };
      });
    }

    return {
      compute,
      evaluate(image) {
        lifetime.requireAlive();
        const { value, terms, gradient } = compute(
          tensorValues(image, 'The image', [height, width, 3], 'image'),
        );
        return tf.tidy(() => ({
          value: tf.scalar(value),
          gradient: tf.tensor3d(gradient.slice(), [height, width, 3]),
          terms: Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, tf.scalar(term)])),
        }));
      },
      dispose() {
        if (!lifetime.end()) return;
        pass.dispose();
        blocks.dispose();
        for (const { engineTerm } of engineTerms) engineTerm.dispose();
      },
    };
  });
}

/**
 * Whether the engine evaluates a term itself: features and Gram matrices of layers, pixels and total variation of the
 * image.
 */
function isEngineTerm({ kind, layer }: LossTerm, { places }: Network): boolean {
  if (kind === 'totalVariation') return layer === 'image';
  return kind === 'feature' ? layer === 'image' || places.has(layer) : places.has(layer);
}
