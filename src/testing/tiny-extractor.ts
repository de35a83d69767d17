import * as tf from '@tensorflow/tfjs-core';
import { createTfjsExtractor } from '../engines/tfjs/tfjs-extractor';
import type { FeatureExtractor } from '../features/extractor';
import type { NamedTensor, NetworkStep } from '../features/network';
import { identified } from '../features/network-identity';
import { type Padding, paddings } from '../features/padding';
import { deepestLayer, layersUpTo, type Vgg19Layer } from '../features/vgg19/layers';
import { type Pooling, vgg19Network } from '../features/vgg19/network';
import { deepestPaperLayer } from '../features/vgg19/paper-layers';
import { any, number, oneOf, optionTable } from '../options/table';

/** Options of {@link tinyExtractor}. */
export interface TinyExtractorOptions {
  /** Seed of the weights; equal seeds give equal networks. @default 0 */
  readonly seed?: number | undefined;
  /** Layers that can be extracted; the network ends after the deepest. @default ['conv3_1'] */
  readonly layers?: readonly Vgg19Layer[] | undefined;
  /** Channels of every convolution. @default 4 */
  readonly channels?: number | undefined;
  /** @default 'max' */
  readonly pooling?: Pooling | undefined;
  /** What the first convolution reads beyond the image's border. @default 'zero' */
  readonly padding?: Padding | undefined;
}

const tinyExtractorOptions = optionTable<TinyExtractorOptions>()('tinyExtractor', {
  seed: number({ integer: true, default: 0 }),
  layers: any<readonly Vgg19Layer[], { readonly default: readonly Vgg19Layer[] }>(
    'an array of layer names',
    Array.isArray,
    { default: ['conv3_1'] },
  ),
  channels: number({ min: 1, max: 512, integer: true, default: 4 }),
  pooling: oneOf<Pooling, { readonly default: 'max' }>(['max', 'average'], { default: 'max' }),
  padding: oneOf<Padding, { readonly default: 'zero' }>(paddings, { default: 'zero' }),
});

/**
 * A network with VGG-19's layer names and a few random channels, for unit tests of losses: no weights, no download,
 * milliseconds.
 *
 * @returns an extractor that runs on the active backend; it belongs to the caller
 * @example
 * ```ts
 * const extractor = tinyExtractor({ seed: 1 });
 * const features = extractor.extract(image, ['conv1_1', 'conv2_2']);
 * ```
 */
export function tinyExtractor(options: TinyExtractorOptions = {}): FeatureExtractor {
  const { seed, layers, channels, pooling, padding } = tinyExtractorOptions.read(options);
  for (const layer of layers) layersUpTo(layer);
  const { input, steps } = vgg19Network({
    lastLayer: deepestLayer(layers) ?? deepestPaperLayer,
    pooling,
    padding,
  });
  const narrow = steps.map((step): NetworkStep => {
    if (step.op !== 'conv') return step;
    return { ...step, channelsIn: step.channelsIn === 3 ? 3 : channels, channelsOut: channels };
  });
  const weights = new Map<string, NamedTensor>();
  for (const [i, step] of narrow.entries()) {
    if (step.op !== 'conv') continue;
    // He et al. 2015: keeps the activations' scale through ReLUs.
    const deviation = Math.sqrt(2 / (9 * step.channelsIn));
    const shape = [3, 3, step.channelsIn, step.channelsOut];
    weights.set(step.kernel, normal(shape, deviation, seed * 1000 + i + 1));
    weights.set(step.bias, normal([step.channelsOut], 0.1, seed * 1000 + 501 + i));
  }
  const loaded = {
    network: { name: 'tiny network', input, steps: narrow },
    weights,
    weightsName: `random weights of seed ${seed}`,
  };
  return identified(createTfjsExtractor(loaded), loaded);
}

function normal(shape: number[], deviation: number, seed: number): NamedTensor {
  // tfjs treats the seed 0 as no seed.
  const random = tf.randomNormal(shape, 0, deviation, 'float32', seed);
  const values = random.dataSync() as Float32Array;
  random.dispose();
  return { shape, values };
}
