import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../../src/features/extractor';
import {
  contentLoss,
  defineLoss,
  edgeLoss,
  type Loss,
  mrfLoss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  temporalLoss,
  totalVariationLoss,
  weighted,
  within,
} from '../../src/losses';
import { lossContract } from '../contracts/loss';

lossContract('contentLoss mse', (target) => contentLoss(target));
lossContract('contentLoss l1', (target) => contentLoss(target, { distance: 'l1', layers: ['conv2_2'] }));
lossContract('perceptualLoss', (target) => perceptualLoss(target));
lossContract('styleLoss by elements', (target) => styleLoss(target));
lossContract('styleLoss by positions', (target) =>
  styleLoss(target, { normalization: 'positions', layerWeights: [0.5, 2] }),
);
lossContract('styleLoss l1', (target) => styleLoss(target, { distance: 'l1' }));
for (const statistic of ['mean-variance', 'wasserstein'] as const)
  lossContract(`styleLoss by ${statistic}`, (target) => styleLoss(target, { statistic }));
// Piecewise smooth: its gradient jumps where two values change their order, which a difference may step over.
lossContract(
  'styleLoss by histogram',
  (target) => styleLoss(target, { statistic: 'histogram' }),
  undefined,
  2e-2,
);
lossContract('mrfLoss', (target) => mrfLoss(target));
lossContract(
  'edgeLoss',
  (target) => {
    const image = tf.squeeze(target.image as tf.Tensor4D, [0]) as tf.Tensor3D;
    const loss = edgeLoss(image, { pooling: [1] });
    image.dispose();
    return loss;
  },
  ['image'],
);
lossContract(
  'pixelLoss l1',
  (target) => {
    const image = tf.squeeze(target.image as tf.Tensor4D, [0]) as tf.Tensor3D;
    const loss = pixelLoss(image);
    image.dispose();
    return loss;
  },
  ['image'],
);
lossContract(
  'temporalLoss',
  (target) => {
    const image = tf.squeeze(target.image as tf.Tensor4D, [0]) as tf.Tensor3D;
    const reliability = softMask();
    const loss = temporalLoss(image, reliability);
    tf.dispose([image, reliability]);
    return loss;
  },
  ['image'],
);
lossContract('totalVariationLoss', () => totalVariationLoss(), ['image']);
lossContract('totalVariationLoss l1', () => totalVariationLoss({ distance: 'l1' }), ['image']);
lossContract('a weighted sum', (target) =>
  sum([
    weighted(0.5, contentLoss(target, { layers: ['conv1_1'] })),
    weighted(3, sum([styleLoss(target), perceptualLoss(target)])),
  ]),
);

/** A soft mask of the features' size: weights in [0, 1], some of them 0 and 1. */
const softMask = () =>
  tf.tensor2d(
    Array.from({ length: 20 }, (_, i) => Math.min(1, Math.max(0, (i % 7) / 5 - 0.1))),
    [5, 4],
  );
const masked =
  (make: (target: Features) => Loss) =>
  (target: Features): Loss => {
    const mask = softMask();
    const loss = within(mask, make(target));
    mask.dispose();
    return loss;
  };
lossContract(
  'contentLoss within a mask',
  masked((target) => contentLoss(target)),
);
lossContract(
  'styleLoss within a mask',
  masked((target) => styleLoss(target, { normalization: 'positions' })),
);
lossContract(
  'totalVariationLoss within a mask',
  masked(() => totalVariationLoss()),
  ['image'],
);
lossContract(
  'a weighted sum within a mask',
  masked((target) => sum([weighted(2, styleLoss(target)), contentLoss(target, { distance: 'l1' })])),
);
lossContract(
  'a loss by defineLoss',
  () =>
    defineLoss({
      name: 'brightness',
      layers: ['image'],
      compute: ({ image }) => tf.mean(tf.square(tf.sub(image, 0.6))),
    }),
  ['image'],
);
