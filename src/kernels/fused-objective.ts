import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layers';
import type { Image } from '../image/image';
import type { Loss, LossTerm } from '../losses/loss';
import { requireSameShape } from '../losses/targets';
import { type Evaluation, namedLeaves, type Objective, valueAndCotangents } from '../objective';
import { addCotangent, tensorOf } from './exchange';
import type { Network } from './network';
import { type Map2d, Pass } from './pass';
import { type PassOptions, planPass } from './pass-plan';
import { patchGramTerm } from './patch-gram-term';
import { type EngineTerm, featureTerm, gramTerm, variationTerm, wholeVectors } from './terms';

/** A leaf of the loss: terms that the engine evaluates where features lie, or a loss that goes through tfjs for its own layers. */
type Part = {
  readonly name: string;
  readonly weight: number;
} & (
  | { readonly terms: readonly { readonly term: LossTerm; readonly engineTerm: EngineTerm }[] }
  | { readonly loss: Loss }
);

/**
 * Loss and gradient without features leaving the engine's memory. Losses without terms are computed by tfjs
 * from their own layers only.
 */
export function fusedObjective(network: Network, loss: Loss, height: number, width: number): Objective {
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
  // The image as it is, for terms on itself.
  const own = found.some(({ terms = [] }) => terms.some(({ layer }) => layer === 'image'))
    ? memory.allocateFloats(pixels)
    : 0;
  const ownMap = { address: own, height, width, channels: 3, relu: false };

  function evaluate(image: Image): Evaluation {
    const data = image.dataSync<'float32'>();
    pass.forward(data);
    if (own) {
      memory.floats(own, pixels).fill(0, data.length);
      memory.floats(own, data.length).set(data);
    }
    const values: Record<string, number> = Object.fromEntries(parts.map(({ name }) => [name, 0]));
    const byTfjs = parts
      .flatMap((part) => ('loss' in part ? [part] : []))
      .map((part) => {
        const features = Object.fromEntries(
          part.loss.layers.map((layer) => [
            layer,
            layer === 'image' ? tf.expandDims(image, 0) : tensorOf(engine, pass.map(layer)),
          ]),
        ) as Features;
        const { value, gradients } = valueAndCotangents(part.loss, features);
        values[part.name] = part.weight * value.dataSync()[0];
        return { ...part, gradients };
      });
    const addTerms = (layer: LayerName, map: Map2d, to: number) => {
      for (const part of parts) {
        if (!('terms' in part)) continue;
        for (const { term, engineTerm } of part.terms) {
          if (term.layer !== layer) continue;
          const weight = part.weight * term.weight;
          values[part.name] += weight * engineTerm.evaluate(map, to, weight);
        }
      }
    };
    pass.backward(
      loss.layers,
      (layer, map, to) => {
        addTerms(layer, map, to);
        for (const { weight, gradients } of byTfjs) {
          const cotangent = gradients[layer];
          if (cotangent) addCotangent(engine, cotangent, map, to, weight);
        }
      },
      gradient,
    );
    if (own) addTerms('image', ownMap, gradient);
    const total = Object.values(values).reduce((a, b) => a + b, 0);
    const fromNetwork = tf.tensor3d(memory.floats(gradient, height * width * 3).slice(), [height, width, 3]);
    const fromImage = byTfjs.flatMap(({ weight, gradients }) =>
      gradients.image ? [tf.mul(tf.reshape(gradients.image, fromNetwork.shape), weight)] : [],
    );
    return {
      value: tf.scalar(total),
      gradient: tf.addN([fromNetwork, ...fromImage]) as tf.Tensor3D,
      terms: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tf.scalar(value)])),
    };
  }

  return {
    evaluate: (image) => {
      requireSameShape('objective', 'image', image, { shape: [height, width, 3] } as tf.Tensor);
      return tf.tidy(() => evaluate(image) as Evaluation & tf.TensorContainerObject);
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
