import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Features } from '../../src/features/extractor';
import { edgeLoss, type Loss, mrfLoss, type StyleStatistic, styleLoss } from '../../src/losses';
import { valueAndCotangents } from '../../src/objective';
import { expectNoLeak } from '../../src/testing';
import reference from '../reference/statistics.json' with { type: 'json' };
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

type Case = {
  x: number[][][];
  target: number[][][];
  value: number;
  gradient: number[][][];
  pooling?: number[];
};
const cases: Readonly<Record<string, Case>> = reference;

const mapOf = (numbers: number[][][]): tf.Tensor4D => tf.tidy(() => tf.expandDims(tf.tensor3d(numbers), 0));

/** The loss of a reference case, and the layer that it reads. */
function lossOf(name: string, { target, pooling }: Case): { loss: Loss; layer: 'image' | 'conv1_1' } {
  if (name === 'edge') return { loss: edgeLoss(tf.tensor3d(target), { pooling }), layer: 'image' };
  const features: Features = { conv1_1: mapOf(target) };
  const loss =
    name === 'mrf'
      ? mrfLoss(features)
      : styleLoss(features, { statistic: name.split(' ')[0] as StyleStatistic });
  return { loss, layer: 'conv1_1' };
}

/** Values, and gradients with respect to the feature map, that PyTorch computed in double precision. */
describe('statistics of style agree with PyTorch in float64', () => {
  onEachBackend(() => {
    it.each(Object.entries(cases))('%s', async (name, reference) => {
      const { loss, layer } = lossOf(name, reference);
      const x = mapOf(reference.x);
      const { value, gradients } = await expectNoLeak(() => valueAndCotangents(loss, { [layer]: x }));
      const size = Math.max(...reference.gradient.flat(2).map(Math.abs));
      expect(value).toBeAllclose(reference.value, { rtol: 2e-5 });
      // Roots of covariances that are almost singular lose digits in float32.
      const tolerance = name.includes('deficient') ? 1e-3 : 1e-4;
      expect(gradients[layer]).toBeAllclose(reference.gradient, { rtol: tolerance, atol: tolerance * size });
      loss.dispose?.();
      tf.dispose([x, value, gradients[layer] as tf.Tensor]);
    });
  });
});

const others = ['mean-variance', 'wasserstein', 'histogram'] as const;

describe.each(others)('the statistic %s', (statistic) => {
  const at = (loss: Loss, feature: tf.Tensor4D) => loss.compute({ conv1_1: feature }).dataSync()[0];
  const make = (feature: tf.Tensor4D) => styleLoss({ conv1_1: feature }, { statistic });

  it('is 0 at the target and at the target with its positions in another order', () => {
    const feature: tf.Tensor4D = tf.randomNormal([1, 8, 6, 5], 0, 1, 'float32', 1);
    const loss = make(feature);
    expect(at(loss, feature)).toBeAllclose(0, { atol: 2e-6 });
    const shuffled = tf.reverse(tf.transpose(feature, [0, 2, 1, 3]), [1, 2]) as tf.Tensor4D;
    expect(at(loss, shuffled)).toBeAllclose(0, { atol: 2e-6 });
  });

  it('grows by the squared distance when all values of a channel are moved', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), fc.nat(), (by, seed) => {
        const feature: tf.Tensor4D = tf.randomNormal([1, 8, 6, 4], 0, 1, 'float32', seed);
        const loss = make(feature);
        // One channel of four moves: a distance of by^2 / 4.
        const moved = tf.add<tf.Tensor4D>(feature, tf.tensor1d([by, 0, 0, 0]));
        expect(at(loss, moved)).toBeAllclose(by ** 2 / 4, { rtol: 1e-3, atol: 1e-4 });
        loss.dispose?.();
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a map of one position, whose spread is 0', () => {
    const feature = tf.ones<tf.Rank.R4>([1, 1, 1, 4]);
    expect(() => make(feature)).toThrow(expect.objectContaining({ code: 'TOO_SMALL', option: 'conv1_1' }));
    const loss = make(tf.randomNormal([1, 4, 4, 4]));
    expect(() => loss.compute({ conv1_1: feature })).toThrow(expect.objectContaining({ code: 'TOO_SMALL' }));
  });

  it.each([{ normalization: 'none' }, { distance: 'l1' }] as const)(
    'refuses %o, which belongs to Gram matrices',
    (more) => {
      const feature = tf.ones<tf.Rank.R4>([1, 2, 2, 4]);
      expect(() => styleLoss({ conv1_1: feature }, { statistic, ...more })).toThrow(
        expect.objectContaining({ code: 'CONFLICTING_OPTIONS' }),
      );
    },
  );
});

describe('styleLoss', () => {
  it('weighs layers with every statistic', () => {
    const [feature, other] = [1, 2].map((seed) =>
      tf.randomNormal<tf.Rank.R4>([1, 5, 5, 3], 0, 1, 'float32', seed),
    );
    for (const statistic of others) {
      const of = (layerWeights: number[]) =>
        styleLoss({ conv1_1: feature, conv1_2: feature }, { statistic, layerWeights })
          .compute({ conv1_1: other, conv1_2: feature })
          .dataSync()[0];
      expect(of([3, 1])).toBeAllclose(3 * of([1, 1]), { rtol: 1e-4 });
    }
  });

  it('names the nearest statistic', () => {
    const feature = tf.ones<tf.Rank.R4>([1, 2, 2, 4]);
    expect(() => styleLoss({ conv1_1: feature }, { statistic: 'wasserstien' as 'wasserstein' })).toThrow(
      /did you mean 'wasserstein'/,
    );
  });
});

describe('the Wasserstein distance', () => {
  it('of diagonal Gaussians is that of their means and standard deviations', () => {
    // Channels of uncorrelated values +-a and +-b: covariances diag(a^2, b^2).
    const map = (a: number, b: number): tf.Tensor4D =>
      tf.tensor4d([a, b, a, -b, -a, b, -a, -b], [1, 2, 2, 2]);
    const loss = styleLoss({ conv1_1: map(1, 2) }, { statistic: 'wasserstein' });
    // ((3 - 1)^2 + (5 - 2)^2) / 2, up to the 1e-4 added to variances
    expect(loss.compute({ conv1_1: map(3, 5) })).toBeAllclose(6.5, { rtol: 1e-3 });
  });
});

describe('mrfLoss', () => {
  it('is 0 where every patch occurs in the target', () => {
    const style: tf.Tensor4D = tf.randomUniform([1, 9, 8, 4], 0.1, 1, 'float32', 3);
    const part = tf.slice(style, [0, 2, 3, 0], [1, 5, 4, 4]) as tf.Tensor4D;
    expect(mrfLoss({ conv1_1: style }).compute({ conv1_1: part })).toBeAllclose(0);
  });

  it('gives the same in blocks as at once, and the first of equal patches wins', () => {
    // 64 x 64 positions against 70 x 70: 3844 x 4624 scores, in five blocks.
    const style: tf.Tensor4D = tf.tile(tf.randomUniform([1, 35, 70, 2], 0.1, 1, 'float32', 4), [1, 2, 1, 1]);
    const feature: tf.Tensor4D = tf.randomUniform([1, 64, 64, 2], 0.1, 1, 'float32', 5);
    const whole = mrfLoss({ conv1_1: style }).compute({ conv1_1: feature }).dataSync()[0];
    const half = tf.slice(style, [0, 0, 0, 0], [1, 37, 70, 2]) as tf.Tensor4D;
    const first = mrfLoss({ conv1_1: half }).compute({ conv1_1: feature }).dataSync()[0];
    // The lower half repeats the upper one: it adds no patch, and no match changes.
    expect(whole).toBeAllclose(first);
  });

  it.each([
    ['a target', [2, 9], [5, 5]],
    ['an image', [5, 5], [9, 2]],
  ])('refuses %s without a patch', (_, style, image) => {
    const mapOfSize = ([h, w]: number[]): tf.Tensor4D => tf.ones([1, h, w, 4]);
    const run = () => mrfLoss({ conv1_1: mapOfSize(style) }).compute({ conv1_1: mapOfSize(image) });
    expect(run).toThrow(expect.objectContaining({ code: 'TOO_SMALL', option: 'conv1_1' }));
  });
});

describe('edgeLoss', () => {
  it('does not change with colour or brightness that are even, and sees a shifted edge', () => {
    const content = tf.tidy(() =>
      tf.div<tf.Tensor3D>(tf.tile(tf.reshape(tf.range(0, 16), [1, 16, 1]), [16, 1, 3]), 32),
    );
    const loss = edgeLoss(content, { pooling: [1, 2] });
    const brighter = tf.expandDims(tf.add(content, tf.tensor1d([0.1, 0.2, -0.1])), 0) as tf.Tensor4D;
    expect(loss.compute({ image: brighter })).toBeAllclose(0, { atol: 1e-9 });
    const step = tf.expandDims(tf.cast(tf.greater(content, 0.25), 'float32'), 0) as tf.Tensor4D;
    expect(loss.compute({ image: step }).dataSync()[0]).toBeGreaterThan(0.1);
  });

  it.each([
    [[], 'EMPTY'],
    [[0], 'OUT_OF_RANGE'],
    [[2.5], 'OUT_OF_RANGE'],
    [[6], 'TOO_SMALL'],
  ])('refuses windows %o', (pooling, code) => {
    expect(() => edgeLoss(tf.zeros([16, 17, 3]), { pooling })).toThrow(expect.objectContaining({ code }));
  });

  it('refuses an image of another size', () => {
    const loss = edgeLoss(tf.zeros([16, 17, 3]));
    const run = () => loss.compute({ image: tf.zeros([1, 16, 16, 3]) });
    expect(run).toThrow(expect.objectContaining({ code: 'WRONG_SHAPE' }));
  });
});
