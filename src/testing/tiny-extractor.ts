import * as tf from '@tensorflow/tfjs-core';
import { createTfjsExtractor, type Pooling } from '../engines/tfjs/tfjs-extractor';
import type { FeatureExtractor } from '../features/extractor';
import {
  type ConvLayer,
  deepestLayer,
  type NetworkStep,
  stepsUpTo,
  type Vgg19Layer,
} from '../features/vgg19/layers';
import { requireKnownOptions, requireNumber } from '../options/validate';
import type { LayerWeights } from '../weights/source';

/** Options of {@link tinyExtractor}. */
export interface TinyExtractorOptions {
  /** Same seed, same network. @default 0 */
  readonly seed?: number | undefined;
  /** The network ends after the deepest of these. @default ['conv3_1'] */
  readonly layers?: readonly Vgg19Layer[] | undefined;
  /** Channels of every convolution. @default 4 */
  readonly channels?: number | undefined;
  /** @default 'max' */
  readonly pooling?: Pooling | undefined;
}

/**
 * A network with VGG-19's layer names and a few random channels, for unit tests of losses: no weights, no download, milliseconds.
 *
 * @returns an extractor that runs on the active backend; it belongs to the caller
 * @example
 * ```ts
 * const extractor = tinyExtractor({ seed: 1 });
 * const features = extractor.extract(image, ['conv1_1', 'conv2_2']);
 * ```
 */
export function tinyExtractor(options: TinyExtractorOptions = {}): FeatureExtractor {
  requireKnownOptions('tinyExtractor', options, ['seed', 'layers', 'channels', 'pooling']);
  const { seed = 0, layers = ['conv3_1'], channels = 4, pooling = 'max' } = options;
  requireNumber('seed', seed, { integer: true });
  requireNumber('channels', channels, { min: 1, max: 512, integer: true });
  for (const layer of layers) stepsUpTo(layer);
  const steps = stepsUpTo(deepestLayer(layers) ?? 'conv3_1').map((step): NetworkStep => {
    if (step.kind !== 'conv') return step;
    return { ...step, channelsIn: step.channelsIn === 3 ? 3 : channels, channelsOut: channels };
  });
  const weights = new Map<ConvLayer, LayerWeights>();
  for (const [i, step] of steps.entries()) {
    if (step.kind !== 'conv') continue;
    // He et al. 2015: keeps the activations' scale through ReLUs.
    const deviation = Math.sqrt(2 / (9 * step.channelsIn));
    weights.set(step.name, {
      kernel: normal(9 * step.channelsIn * step.channelsOut, deviation, seed * 1000 + i + 1),
      bias: normal(step.channelsOut, 0.1, seed * 1000 + 501 + i),
    });
  }
  return createTfjsExtractor({
    name: 'tiny network',
    weightsName: `random weights of seed ${seed}`,
    steps,
    weights,
    convention: 'torchvision',
    pooling,
  });
}

function normal(length: number, deviation: number, seed: number): Float32Array {
  // tfjs takes the seed 0 for none.
  const values = tf.randomNormal([length], 0, deviation, 'float32', seed);
  const result = values.dataSync() as Float32Array;
  values.dispose();
  return result;
}
