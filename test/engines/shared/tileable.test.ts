import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { fittingSize } from '../../../src/engines/shared/fitting-size';
import { notTileable, untileable } from '../../../src/engines/shared/tileable';
import {
  contentLoss,
  defineLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
  within,
} from '../../../src/losses';

beforeAll(() => tf.setBackend('cpu'));

const features = () => ({
  conv1_1: tf.ones<tf.Rank.R4>([1, 4, 4, 2]),
  image: tf.ones<tf.Rank.R4>([1, 4, 4, 3]),
});
const custom = (layers: readonly ('image' | 'conv2_1')[]) =>
  defineLoss({ name: 'mine', layers, compute: () => tf.scalar(0) });
const everywhere = () => tf.ones<tf.Rank.R2>([4, 4]);

describe('what tiles cannot compute of a loss', () => {
  it('is nothing of the losses of the library, and nothing of a custom loss of the image', () => {
    const all = [
      contentLoss(features()),
      weighted(2, styleLoss(features())),
      pixelLoss(tf.zeros([4, 4, 3])),
      totalVariationLoss(),
      custom(['image']),
      within(everywhere(), totalVariationLoss()),
      within(everywhere(), styleLoss(features())),
    ];
    expect(untileable(sum(all))).toBeUndefined();
  });

  it('is a custom loss, or another statistic than Gram matrices, of a deeper layer', () => {
    expect(untileable(sum([totalVariationLoss(), weighted(3, custom(['image', 'conv2_1']))]))).toEqual({
      name: 'mine',
      layer: 'conv2_1',
    });
    const variances = styleLoss(features(), { layers: ['conv1_1'], statistic: 'mean-variance' });
    expect(untileable(variances)).toEqual({ name: 'style', layer: 'conv1_1' });
  });

  it('is total variation of a deeper layer, whose rows have neighbours in other tiles', () => {
    const term = { kind: 'totalVariation', layer: 'conv1_1', distance: 'mse', weight: 1 } as const;
    const loss = { name: 'rough', layers: ['conv1_1'], compute: () => tf.scalar(0), terms: [term] } as const;
    expect(untileable(loss)).toEqual({ name: 'rough', layer: 'conv1_1' });
  });

  it('is named by the error, with the reason and what works', () => {
    const error = notTileable([400, 800], ([h, w]) => h * w <= 80_000, { name: 'mine', layer: 'conv2_1' });
    expect(error).toMatchObject({ code: 'NOT_TILEABLE', option: 'loss', value: 'mine' });
    expect(error.message).toMatch(
      /^An image of 800 x 400 pixels .* 'mine' reads conv2_1 by a function of the whole .* accepted: about 400 x 200 pixels, /,
    );
    expect(notTileable([40, 80], () => false).message).toMatch(
      /a part of it reads layers other than 'image'/,
    );
  });
});

describe('the largest size that fits', () => {
  it('has the proportions of the size that does not, and at least one pixel', () => {
    expect(fittingSize([4000, 1000], ([h, w]) => h * w <= 1e6)).toEqual([2000, 500]);
    expect(fittingSize([4000, 1000], () => false)).toEqual([1, 1]);
  });
});
