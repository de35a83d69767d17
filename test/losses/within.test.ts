import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  contentLoss,
  defineLoss,
  edgeLoss,
  leaves,
  mrfLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
  within,
} from '../../src/losses';
import { createObjective } from '../../src/objective';
import { checkGradient, expectNoLeak, tinyExtractor } from '../../src/testing';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';

const map = (values: number[], [height, width]: [number, number], channels = 1): tf.Tensor4D =>
  tf.tensor4d(values, [1, height, width, channels]);

describe('within', () => {
  onEachBackend(() => {
    it('weighs distances of features by the mask', () => {
      const mask = tf.tensor2d([1, 0.5, 0, 0.5], [2, 2]);
      const loss = within(mask, contentLoss({ conv1_1: map([0, 0, 0, 0], [2, 2]) }));
      // (1 * 1 + 0.5 * 4 + 0 * 9 + 0.5 * 16) / 2
      expect(loss.compute({ conv1_1: map([1, 2, 3, 4], [2, 2]) })).toBeAllclose(11 / 2);
    });

    it('guides Gram matrices: sum T F F / sum T', () => {
      const style = { conv1_1: map([1, 1, 1, 1], [2, 2]) };
      const loss = within(tf.tensor3d([1, 0.5, 0, 0.5], [2, 2, 1]), styleLoss(style));
      // One channel: target 1; guided (1 + 0.5 * 4 + 0.5 * 16) / 2 = 5.5.
      expect(loss.compute({ conv1_1: map([1, 2, 3, 4], [2, 2]) })).toBeAllclose(4.5 ** 2);
    });

    it('weighs neighbours by the product of their masks', () => {
      const loss = within(tf.tensor2d([1, 0.5, 0.5, 0], [2, 2]), totalVariationLoss());
      // Rows: pairs 0.5 (1 - 0)^2 and 0 of 0.5; columns: 0.5 (4 - 0)^2 and 0 of 0.5.
      const image = map(
        [0, 1, 4, 9].flatMap((v) => [v, v, v]),
        [2, 2],
        3,
      );
      expect(loss.compute({ image })).toBeAllclose(1 + 16);
    });

    it('sees deeper layers through the mean of the mask over what their pooling covers', () => {
      // 5 x 4 pixels become 2 x 2; the last row is not covered by any window.
      const mask = tf.tensor2d(
        [1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 9, 9, 9, 9].map((v) => v % 9),
        [5, 4],
      );
      const loss = within(mask, contentLoss({ pool1: map([0, 0, 0, 0], [2, 2]) }));
      // Means 1, 1/4, 1/4, 1/4.
      const expected = (1 + 4 / 4 + 9 / 4 + 16 / 4) / 1.75;
      expect(loss.compute({ pool1: map([1, 2, 3, 4], [2, 2]) })).toBeAllclose(expected);
    });

    it('of ones is no mask, and of zeros 0 with a gradient of 0', async () => {
      const extractor = tinyExtractor();
      const [image, target] = [noise(19, 14, 1), noise(19, 14, 2)];
      const layers = ['image', 'conv1_1', 'conv2_2', 'pool2'] as const;
      const network = tinyExtractor({ layers: ['pool2'] });
      const features = network.extract(target, layers);
      const make = () =>
        sum([
          weighted(3, contentLoss(features, { layers: ['image', 'conv2_2', 'pool2'] })),
          styleLoss(features, { layers: ['conv1_1', 'conv2_2'] }),
          totalVariationLoss({ distance: 'l1' }),
        ]);
      const evaluate = (loss: ReturnType<typeof make>) => {
        const objective = createObjective(network, loss, [19, 14]);
        const found = objective.evaluate(image);
        objective.dispose();
        return found;
      };
      const plain = evaluate(make());
      const ones = evaluate(within(tf.ones([19, 14]) as tf.Tensor2D, make()));
      expect(ones.value).toBeAllclose(plain.value, { rtol: 1e-6 });
      expect(ones.gradient).toBeAllclose(plain.gradient, { rtol: 1e-5, atol: 1e-7 });
      expect(Object.keys(ones.terms)).toEqual(Object.keys(plain.terms));
      const zeros = evaluate(within(tf.zeros([19, 14, 1]) as tf.Tensor3D, make()));
      // The distance of Gram matrices is that of zero from the target.
      expect(zeros.terms.content).toBeAllclose(0);
      expect(zeros.gradient).toBeAllclose(new Float32Array(19 * 14 * 3));
      extractor.dispose();
      network.dispose();
    });

    it('does not change what lies outside: the gradient there is 0', async () => {
      const [image, target] = [noise(12, 12, 3), noise(12, 12, 4)];
      const network = tinyExtractor({ layers: ['relu1_1'] });
      const left = tf.tensor2d(
        Array.from({ length: 144 }, (_, i) => (i % 12 < 4 ? 1 : 0)),
        [12, 12],
      );
      const loss = within(left, styleLoss(network.extract(target, ['relu1_1'])));
      const objective = createObjective(network, loss, [12, 12]);
      const { gradient } = objective.evaluate(image);
      // A 3x3 convolution reaches one pixel further.
      expect(tf.slice(gradient, [0, 5, 0], [12, 7, 3])).toBeAllclose(new Float32Array(12 * 7 * 3));
      expect(tf.max(tf.abs(tf.slice(gradient, [0, 0, 0], [12, 4, 3]))).dataSync()[0]).toBeGreaterThan(0);
      objective.dispose();
      network.dispose();
    });

    it.each(['mean-variance', 'wasserstein'] as const)(
      'weighs %s as if a position occurred as often as its weight says',
      (statistic) => {
        const positions = [
          [1, 2, 0],
          [0, 3, 1],
          [5, 1, 2],
          [2, 2, 7],
          [4, 0, 1],
          [1, 1, 1],
        ];
        const weights = [1, 0.5, 0, 0.25, 1, 0];
        // Four times as often as their weight: those of weight 0 not at all.
        const repeated = positions.flatMap((values, i) =>
          Array.from({ length: 4 * weights[i] }, () => values),
        );
        const style = { conv1_1: map([1, 0, 2, 3, 1, 1, 0, 4, 2, 2, 1, 0], [2, 2], 3) };
        const make = () => styleLoss(style, { statistic });
        const weighed = within(tf.tensor2d(weights, [2, 3]), make());
        const expected = make().compute({ conv1_1: map(repeated.flat(), [1, repeated.length], 3) });
        const found = weighed.compute({ conv1_1: map(positions.flat(), [2, 3], 3) });
        expect(found).toBeAllclose(expected, { rtol: 1e-4 });
        const features = { conv1_1: map([1, 2, 0, 0, 3, 1, 5, 1, 2, 2, 2, 7, 4, 0, 1, 1, 1, 1], [2, 3], 3) };
        const ones = within(tf.ones<tf.Rank.R2>([2, 3]), make());
        expect(ones.compute(features).dataSync()).toEqual(make().compute(features).dataSync());
      },
    );

    it('has the gradient of central differences at layers of several sizes, with a soft mask', async () => {
      const layers = { conv1_1: [1, 8, 6, 3], pool1: [1, 4, 3, 5] } as const;
      const features = (seed: number) =>
        Object.fromEntries(
          Object.entries(layers).map(([layer, shape], i) => [
            layer,
            tf.randomNormal([...shape], 0, 1, 'float32', seed + i) as tf.Tensor4D,
          ]),
        );
      const mask = tf.randomUniform<tf.Rank.R2>([8, 6], 0, 1, 'float32', 7);
      const at = features(5);
      for (const statistic of ['gram', 'mean-variance', 'wasserstein'] as const) {
        const style = styleLoss(features(1), { statistic });
        const loss = within(mask, sum([weighted(5, style), contentLoss(features(3))]));
        await expectNoLeak(() => checkGradient(loss, at, { tolerance: 5e-3 }));
        loss.dispose?.();
      }
    });
  });

  it('refuses losses without weights of positions, with what is accepted', () => {
    const features = { conv1_1: map([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]) };
    const losses = [
      styleLoss(features, { statistic: 'histogram' }),
      mrfLoss(features),
      edgeLoss(noise(16, 16, 1)),
    ];
    for (const loss of losses)
      expect(() => within(tf.ones<tf.Rank.R2>([3, 3]), loss)).toThrow(
        /accepted: losses of features, Gram matrices/,
      );
    expect(() => within(tf.ones<tf.Rank.R2>([3, 3]), losses[0])).toThrow(
      /statistic 'histogram' orders positions/,
    );
  });

  it('keeps names and weights of the losses', () => {
    const loss = weighted(
      2,
      sum([weighted(3, totalVariationLoss()), contentLoss({ image: map([1, 2, 3], [1, 1], 3) })]),
    );
    const found = leaves(within(tf.ones<tf.Rank.R2>([1, 1]), loss)).map(({ weight, loss: leaf }) => [
      leaf.name,
      weight,
    ]);
    expect(found).toEqual([
      ['totalVariation', 6],
      ['content', 2],
    ]);
  });

  it('frees the mask and the loss, and the loss is taken over', async () => {
    const mask = tf.ones<tf.Rank.R2>([2, 2]);
    const target = { conv1_1: map([1, 2, 3, 4], [2, 2]) };
    await expectNoLeak(() => {
      const inner = sum([contentLoss(target), styleLoss(target)]);
      const loss = within(mask, inner);
      loss.compute(target).dispose();
      loss.dispose?.();
      expect(() => leaves(inner)[0].loss.compute(target)).toThrow(/has been disposed/);
    });
    expect(mask.isDisposed).toBe(false);
  });

  it('refuses masks and losses that it cannot use', async () => {
    const target = { conv1_1: map([1, 2, 3, 4], [2, 2]) };
    const refuse = (mask: unknown, loss: unknown) => () => within(mask as tf.Tensor2D, loss as never);
    const content = contentLoss(target);
    const custom = defineLoss({ name: 'mine', layers: ['image'], compute: ({ image }) => tf.mean(image) });
    await expectNoLeak(() =>
      tf.tidy(() => {
        expect(refuse(1, content)).toThrow(/mask is 1; accepted: a tensor \[height, width\]/);
        expect(refuse([[1]], content)).toThrow(/mask is/);
        expect(refuse(tf.ones([1, 2, 2, 1]), content)).toThrow(/a float32 tensor \[1,2,2,1\]/);
        expect(refuse(tf.ones([2, 2, 3]), content)).toThrow(/\[2,2,3\]/);
        expect(refuse(tf.tensor2d([[255, 0]]), content)).toThrow(/mask has the number 255/);
        expect(refuse(tf.tensor2d([[Number.NaN, 0]]), content)).toThrow(/mask has the number NaN/);
        expect(refuse(tf.ones([2, 2]), {})).toThrow(/loss is an object; accepted/);
        expect(refuse(tf.ones([2, 2]), sum([content, custom]))).toThrow(/cannot mask the loss 'mine'/);
      }),
    );
    const wrongSize = within(tf.ones<tf.Rank.R2>([3, 2]), content);
    await expectNoLeak(() => {
      expect(() => wrongSize.compute(target)).toThrow(/The mask is 2x3 and halving it does not give 2x2/);
    });
    wrongSize.dispose?.();
  });
});
