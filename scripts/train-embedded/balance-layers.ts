import * as tf from '@tensorflow/tfjs-core';
import { embeddedLayers } from '../../src/features/vgg19/embedded/embedded-file';
import type { RgbPixels } from '../../src/image/pixel-array.ts';
import { gramMatrix } from '../../src/losses/gram-matrix.ts';
import { Random } from '../../src/random.ts';
import { type NetworkWeights, networkUpTo } from './learn-layers.ts';
import type { Recipe } from './recipe.ts';

/** beta of Li et al. 2021, at which the losses are to be in balance. */
const beta = 1e6;
/** The content layer, conv2_2, among the five. */
const contentLayer = 3;

/**
 * Scales the layers so that the published loss, alpha = 1 and beta = 1e6 with all layers equal, has the recipe's
 * balance. With E_l the mean squared difference of Gram matrices between pictures that have nothing to do with each
 * other, E_c that of features at conv2_2, w_l the layers' shares and B = `styleOverContent`, wanted is
 *
 *     lambda (content + B sum_l w_l (E_c / E_l) style_l).
 *
 * Features times s_l make the content loss s_4^2 and a layer's style loss s_l^4 times as large, so s_4^2 = lambda and
 * beta s_l^4 = lambda B w_l E_c / E_l, from which lambda = B w_4 E_c / (beta E_4).
 */
export function balanceLayers(
  weights: NetworkWeights,
  pictures: readonly RgbPixels[],
  { seed, layers, styleOverContent }: Recipe,
): { weights: NetworkWeights; scales: readonly number[] } {
  const { style, content } = distances(weights, pictures, new Random(seed * 100 + embeddedLayers.length));
  const wanted = layers.map(
    ({ styleShare }, l) => (styleOverContent * styleShare * content) / (beta * style[l]),
  );
  const scales = wanted.map((factor) => (wanted[contentLayer] * factor) ** 0.25);
  const balanced = Array.from(weights, ([layer, { kernel, bias }], l) => {
    const before = l === 0 ? 1 : scales[l - 1];
    const scaled = {
      kernel: kernel.map((value) => (value * scales[l]) / before),
      bias: bias.map((value) => value * scales[l]),
    };
    return [layer, scaled] as const;
  });
  return { weights: new Map(balanced), scales };
}

/**
 * Mean distances of random pairs of pictures: of the layers' Gram matrices, and of the features that content is
 * compared by.
 */
function distances(weights: NetworkWeights, pictures: readonly RgbPixels[], random: Random) {
  const pairs = Math.min(60, pictures.length);
  const network = networkUpTo('conv3_1', weights);
  const chosen = random.sample(pairs, pictures.length).map((index) => {
    const { data, width, height } = pictures[index];
    const tensors = tf.tidy(() => {
      const features = network.extract(tf.tensor3d(data, [height, width, 3]), embeddedLayers);
      const maps = embeddedLayers.map((layer) => features[layer] as tf.Tensor4D);
      return { grams: maps.map((map) => gramMatrix(map)), content: maps[contentLayer] };
    });
    const numbers = {
      grams: tensors.grams.map((gram) => gram.dataSync<'float32'>()),
      content: tensors.content.dataSync<'float32'>(),
    };
    tf.dispose(tensors);
    return numbers;
  });
  network.dispose();
  const mean = (distance: (a: (typeof chosen)[number], b: (typeof chosen)[number]) => number) =>
    chosen.reduce((sum, a, i) => sum + distance(a, chosen[(i + 1) % pairs]), 0) / pairs;
  return {
    style: embeddedLayers.map((_, l) => mean((a, b) => meanSquare(a.grams[l], b.grams[l]))),
    content: mean((a, b) => meanSquare(a.content, b.content)),
  };
}

function meanSquare(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length;
}
