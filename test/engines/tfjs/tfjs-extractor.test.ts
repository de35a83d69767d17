import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../../../src/engines/tfjs/tfjs-extractor';
import { createConvolution } from '../../../src/engines/tfjs/tfjs-steps';
import type { LayerName } from '../../../src/features/layer-name';
import type { ConvLayer } from '../../../src/features/vgg19/layers';
import { loadedVgg19 } from '../../../src/features/vgg19/network';
import type { LayerWeights } from '../../../src/features/vgg19/source';
import { tinyExtractor } from '../../../src/testing';
import { extractorContract } from '../../contracts/extractor';
import { onEachBackend } from '../../support/backends';
import { noise } from '../../support/images';
import { numbersOf } from '../../support/to-be-allclose';

describe('the extractor on tfjs operations', () => {
  onEachBackend(() => {
    const layers: LayerName[] = [
      'image',
      'conv1_1',
      'relu1_2',
      'pool1',
      'conv2_2',
      'relu2_2',
      'pool2',
      'conv3_1',
    ];
    describe('with max pooling', () => extractorContract(() => tinyExtractor({ seed: 2 }), layers));
    describe('with average pooling', () =>
      extractorContract(() => tinyExtractor({ seed: 2, pooling: 'average' }), layers));
    describe.each(['replicate', 'reflect'] as const)('with padding %s', (padding) =>
      extractorContract(
        () => tinyExtractor({ seed: 2, padding }),
        ['image', 'conv1_1', 'relu1_2', 'conv2_2'],
      ),
    );

    it('has the same gradient by flipped filters and by the backend', async () => {
      const step = {
        op: 'conv',
        name: 'conv1_1',
        channelsIn: 3,
        channelsOut: 2,
        kernel: 'kernel',
        bias: 'bias',
      } as const;
      const numbers = tf.randomNormal([54], 0, 1, 'float32', 2).dataSync<'float32'>();
      const weights = new Map([
        ['kernel', { shape: [3, 3, 3, 2], values: numbers }],
        ['bias', { shape: [2], values: new Float32Array(2) }],
      ]);
      const gradient = tf.randomNormal([1, 9, 14, 2], 0, 1, 'float32', 3) as tf.Tensor4D;
      const gradients = (['flipped', 'kernel'] as const).map((how) =>
        createConvolution(step, weights, how).inputGradient(gradient, [1, 9, 14, 3]),
      );
      const [flipped, kernel] = await Promise.all(gradients.map(numbersOf));
      expect(flipped).toBeAllclose(kernel, { atol: 1e-5 });
    });

    it('hands torchvision weights RGB, and Caffe weights BGR of 0..255 less the mean on torchvision’s scale', async () => {
      const image = tf.tensor3d([0.2, 0.4, 0.6], [1, 1, 3]);
      // The identity kernel's two outputs are the first two channels of the network's input.
      const torchvision = identity({}).extract(image, ['conv1_1']).conv1_1 as tf.Tensor4D;
      expect(await numbersOf(torchvision)).toBeAllclose([(0.2 - 0.485) / 0.229, (0.4 - 0.456) / 0.224]);
      const caffe = identity({ convention: 'caffe' }).extract(image, ['conv1_1']).conv1_1 as tf.Tensor4D;
      expect(await numbersOf(caffe)).toBeAllclose(
        [(255 * 0.6 - 103.939) / 57.63, (255 * 0.4 - 116.779) / 57.63],
        {
          rtol: 1e-5,
        },
      );
    });

    it('scales Caffe biases with the input', async () => {
      const image = tf.zeros([1, 1, 3]) as tf.Tensor3D;
      const feature = identity({ convention: 'caffe', bias: [57.63, 0] }).extract(image, ['conv1_1']).conv1_1;
      expect((await numbersOf(feature as tf.Tensor4D))[0]).toBeCloseTo(1 - 103.939 / 57.63, 5);
    });
  });

  it('says what is wrong with weights', async () => {
    await tf.setBackend('cpu');
    expect(() => identity({ bias: [0] })).toThrow(
      'Weights conv1_1/kernel of conv1_1: found [3,3,6,1] with 54 numbers; accepted: [3,3,3,2] with 54 numbers.',
    );
  });

  it('says how large an image has to be', async () => {
    await tf.setBackend('cpu');
    const extractor = tinyExtractor();
    expect(() => extractor.extract(noise(3, 9), ['conv3_1'])).toThrow(
      '9x3 pixels; accepted: at least 4x4 pixels for conv3_1',
    );
  });
});

/** One convolution of two channels whose kernel passes the centre of its input's first two channels. */
function identity({ bias = [0, 0], convention = 'torchvision' as 'torchvision' | 'caffe' }) {
  const kernel = new Float32Array(9 * 3 * 2);
  const centre = 4 * 3 * 2;
  kernel[centre] = 1;
  kernel[centre + 2 + 1] = 1;
  const weights = new Map<ConvLayer, LayerWeights>([['conv1_1', { kernel, bias: new Float32Array(bias) }]]);
  const { network, ...loaded } = loadedVgg19(weights, {
    lastLayer: 'conv1_1',
    convention,
    weightsName: 'by hand',
  });
  const steps = network.steps.map((step) => (step.op === 'conv' ? { ...step, channelsOut: 2 } : step));
  return createTfjsExtractor({ network: { ...network, steps }, ...loaded });
}
