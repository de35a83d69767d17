import * as tf from '@tensorflow/tfjs-core';
import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import type { FeatureExtractor } from '../../src/features/extractor.ts';
import type { LayerName } from '../../src/features/layer-name';
import { embeddedConvention, embeddedLayers } from '../../src/features/vgg19/embedded/embedded-file';
import { type ConvLayer, type Vgg19Layer, vgg19Convolutions } from '../../src/features/vgg19/layers';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import type { LayerWeights } from '../../src/features/vgg19/source';
import type { RgbPixels } from '../../src/image/pixel-array.ts';
import { Random } from '../../src/random.ts';
import { type Rows, samplePatches } from './patches.ts';
import { orthonormalise } from './principal-components.ts';
import type { LayerRecipe, Recipe } from './recipe.ts';
import { directionsOfLongest, sphericalKMeans } from './spherical-k-means.ts';
import { forParts, whitened, whitening } from './whitening.ts';

/** The layer that each convolution reads. */
const inputs: Readonly<Record<(typeof embeddedLayers)[number], Vgg19Layer | 'image'>> = {
  conv1_1: 'image',
  conv1_2: 'relu1_1',
  conv2_1: 'pool1',
  conv2_2: 'relu2_1',
  conv3_1: 'pool2',
};

/** Kernel and bias by layer. */
export type NetworkWeights = ReadonlyMap<ConvLayer, LayerWeights>;

/** Learns one convolution after the other, each from what those before it make of the pictures. */
export function learnLayers(
  pictures: readonly RgbPixels[],
  recipe: Recipe,
  onLayer: (layer: ConvLayer) => void = () => {},
): NetworkWeights {
  const weights = new Map<ConvLayer, LayerWeights>();
  for (const [i, layer] of embeddedLayers.entries()) {
    const input: LayerName = inputs[layer];
    const network = networkUpTo(input, weights);
    const random = new Random(recipe.seed * 100 + i);
    const patches = samplePatches(random, pictures, network, input, recipe.patches);
    network.dispose();
    const channels = vgg19Convolutions.find(({ name }) => name === layer)?.channelsOut ?? 0;
    weights.set(layer, learnLayer(random, patches, channels, recipe.layers[i], recipe));
    onLayer(layer);
  }
  return weights;
}

/** The network that these weights make, up to a layer. */
export function networkUpTo(last: Vgg19Layer | 'image', weights: NetworkWeights): FeatureExtractor {
  const { network, ...rest } = loadedVgg19(weights, {
    lastLayer: last === 'image' ? 'conv1_1' : last,
    convention: embeddedConvention,
    weightsName: 'in training',
  });
  return createTfjsExtractor({
    network: last === 'image' ? { ...network, steps: [] } : network,
    ...rest,
  });
}

function learnLayer(
  random: Random,
  patches: Rows,
  channels: number,
  layer: LayerRecipe,
  recipe: Recipe,
): LayerWeights {
  const kernel =
    layer.filters === 'random'
      ? normals(random, patches.width * channels)
      : whitenedFilters(random, patches, channels, layer, recipe);
  return calibrated(patches, kernel, channels, layer.active);
}

/** Directions of whitened patches, as filters of patches: [patch width, channels]. */
function whitenedFilters(
  random: Random,
  patches: Rows,
  channels: number,
  { filters, dimensions, whitening: strength }: LayerRecipe,
  { whiteningFloor: floor, dropped, clusterIterations }: Recipe,
): Float32Array {
  const whitener = whitening(patches, { dimensions, strength, floor });
  const directions = () => directionsOfLongest(whitened(patches, whitener), dropped);
  const { values } =
    filters === 'clusters'
      ? sphericalKMeans(random, directions(), channels, clusterIterations)
      : randomBasis(random, channels, dimensions);
  const product = tf.tidy(() =>
    tf.matMul(whitener.projection, tf.transpose(tf.tensor2d(values, [channels, dimensions]))),
  );
  const kernel = product.dataSync<'float32'>();
  tf.dispose([product, whitener.projection]);
  return kernel;
}

/** Rows of length 1 at right angles to each other, in random directions; no more than dimensions. */
function randomBasis(random: Random, count: number, width: number): Rows {
  const columns = Float64Array.from(normals(random, width * count));
  orthonormalise(columns, width, count);
  const values = Float32Array.from(columns, (_, i) => columns[(i % width) * count + Math.floor(i / width)]);
  return { count, width, values };
}

const normals = (random: Random, count: number) => new Float32Array(count).map(() => random.normal());

/**
 * Scales each filter so that its responses have standard deviation 1, and sets its bias so that a part `active` of them
 * is positive.
 */
export function calibrated(
  patches: Rows,
  kernel: Float32Array,
  channels: number,
  active: number,
): LayerWeights {
  const responses = Array.from({ length: channels }, () => new Float32Array(patches.count));
  const filters = tf.tensor2d(kernel, [patches.width, channels]);
  forParts(patches, (part, start) => {
    tf.matMul(part, filters)
      .dataSync()
      .forEach((value, i) => {
        responses[i % channels][start + Math.floor(i / channels)] = value;
      });
  });
  filters.dispose();
  const deviations = responses.map(deviation);
  return {
    kernel: kernel.map((value, i) => value / deviations[i % channels]),
    bias: Float32Array.from(responses, (values, c) => {
      const threshold = values.toSorted()[Math.floor((1 - active) * values.length)];
      return -threshold / deviations[c];
    }),
  };
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
