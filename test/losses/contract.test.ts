import * as tf from '@tensorflow/tfjs-core';
import {
  contentLoss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
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
lossContract('totalVariationLoss', () => totalVariationLoss(), ['image']);
lossContract('totalVariationLoss l1', () => totalVariationLoss({ distance: 'l1' }), ['image']);
lossContract('a weighted sum', (target) =>
  sum([
    weighted(0.5, contentLoss(target, { layers: ['conv1_1'] })),
    weighted(3, sum([styleLoss(target), perceptualLoss(target)])),
  ]),
);
