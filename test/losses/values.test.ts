import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Features } from '../../src/features/extractor';
import {
  contentLoss,
  type Loss,
  leaves,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
} from '../../src/losses';
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

const map = (values: number[], channels = 1): tf.Tensor4D =>
  tf.tensor4d(values, [1, 1, values.length / channels, channels]);

describe('losses by hand', () => {
  onEachBackend(() => {
    let target: Features;
    let at: Features;
    beforeAll(() => {
      target = { conv1_1: map([0, 0]), conv2_2: map([1, 1, 1, 1]) };
      at = { conv1_1: map([3, -1]), conv2_2: map([1, 2, 3, 5]) };
    });

    it('contentLoss is the mean of squares, summed over layers', () => {
      // conv1_1: (9 + 1) / 2 = 5; conv2_2: (0 + 1 + 4 + 16) / 4 = 5.25
      expect(contentLoss(target).compute(at)).toBeAllclose(10.25);
      expect(contentLoss(target, { layers: ['conv2_2'] }).compute(at)).toBeAllclose(5.25);
    });

    it("contentLoss 'l1' is the mean of magnitudes", () => {
      expect(contentLoss(target, { layers: ['conv2_2'], distance: 'l1' }).compute(at)).toBeAllclose(7 / 4);
    });

    it('perceptualLoss takes the deepest layer of its target', () => {
      expect(perceptualLoss(target).layers).toEqual(['conv2_2']);
      expect(perceptualLoss(target).compute(at)).toBeAllclose(5.25);
    });

    it('styleLoss compares Gram matrices, weighs layers and takes images of any size', () => {
      const style = styleLoss({ conv1_1: map([1, 1, 1, 1]) }, { layerWeights: { conv1_1: 3 } });
      // Grams by elements: the target's 4/4 = 1, the image's (4 + 16)/2 = 10; 3 * (10 - 1)^2
      expect(style.compute({ conv1_1: map([2, 4]) })).toBeAllclose(243);
    });

    it('totalVariationLoss of a checkerboard is one for each axis', () => {
      const board = tf.tensor4d(
        [0, 1, 1, 0].flatMap((v) => [v, v, v]),
        [1, 2, 2, 3],
      );
      expect(totalVariationLoss().compute({ image: board })).toBeAllclose(2);
      expect(totalVariationLoss({ distance: 'l1' }).compute({ image: board })).toBeAllclose(2);
    });

    it('totalVariationLoss of a line or a pixel counts the axes that there are', () => {
      const row = tf.tensor4d([0, 0, 0, 1, 1, 1], [1, 1, 2, 3]);
      expect(totalVariationLoss().compute({ image: row })).toBeAllclose(1);
      expect(totalVariationLoss().compute({ image: tf.zeros([1, 1, 1, 3]) })).toBeAllclose(0);
    });

    it('has finite gradients where image and target are equal', () => {
      for (const make of [contentLoss, styleLoss]) {
        const gradient = tf.grad((f) =>
          make(target, { layers: ['conv1_1'], distance: 'l1' }).compute({ conv1_1: f as tf.Tensor4D }),
        )(target.conv1_1 as tf.Tensor4D);
        expect(gradient).toBeAllclose([0, 0]);
      }
    });

    it('sum and weighted add up, nested too', () => {
      const content = contentLoss(target, { layers: ['conv2_2'] });
      const total = sum([weighted(2, content), weighted(10, sum([content, weighted(0.5, content)]))]);
      expect(total.compute(at)).toBeAllclose(5.25 * 17);
      expect(leaves(total).map(({ weight }) => weight)).toEqual([2, 10, 5]);
    });

    it('lets users write a loss as an object', () => {
      const brightness: Loss = {
        name: 'brightness',
        layers: ['image'],
        compute: ({ image }) => tf.mean(tf.square(tf.sub(image as tf.Tensor4D, 0.5))) as tf.Scalar,
      };
      expect(weighted(4, brightness).compute({ image: map([1, 1, 0], 3) })).toBeAllclose(1);
    });
  });
});

describe('losses refuse', () => {
  let target: Features;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    target = { conv2_2: map([1, 2]) };
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a layer that the target lacks',
      () => contentLoss(target, { layers: ['conv2_1'] }),
      /needs the features of layer 'conv2_1'.*did you mean 'conv2_2'/,
    ],
    [
      'an unknown distance',
      () => contentLoss(target, { distance: 'l2' as never }),
      /distance is 'l2'; did you mean 'l1'\? Accepted: mse, l1/,
    ],
    [
      'an unknown option',
      () => styleLoss(target, { layer: [] } as never),
      /styleLoss has no option 'layer'; did you mean 'layers'/,
    ],
    [
      'no target',
      () => styleLoss(undefined as never),
      /styleLoss got the target undefined; accepted: what extractor\.extract\(\) returns/,
    ],
    ['a target of another kind', () => contentLoss(5 as never), /contentLoss got the target 5/],
    ['an empty target', () => contentLoss({}), /without features/],
    [
      'a negative weight',
      () => weighted(-1, contentLoss(target)),
      /weight is -1; accepted: a finite number of at least 0/,
    ],
    ['a weight that is no number', () => weighted(Number.NaN, contentLoss(target)), /weight is NaN/],
    ['a sum of nothing', () => sum([]), /at least one loss/],
    [
      'values that are not losses',
      () => sum([{} as never]),
      /losses\[0\] is an object; accepted: an object with name, layers and compute/,
    ],
    [
      'too few layer weights',
      () => styleLoss(target, { layerWeights: [1, 2] }),
      /layerWeights has 2 numbers; accepted: one for each of conv2_2/,
    ],
    [
      'a layer weight for a layer that is not compared',
      () => styleLoss(target, { layerWeights: { conv1_1: 1 } }),
      /layerWeights is 'conv1_1'/,
    ],
    ['a pixel target that is no image', () => pixelLoss(tf.ones([2, 2, 1])), /target is a tensor \[2,2,1\]/],
    [
      'features of another size',
      () => contentLoss(target).compute({ conv2_2: map([1, 2, 3]) }),
      /shape \[1,1,3,1\] and the target's \[1,1,2,1\]/,
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message);
  });
});
