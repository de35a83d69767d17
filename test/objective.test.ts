import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { contentLoss, type Loss, styleLoss, sum, totalVariationLoss, weighted } from '../src/losses';
import { createObjective } from '../src/objective';
import { checkGradient, expectNoLeak, tinyExtractor } from '../src/testing';
import { onEachBackend } from './support/backends';
import { noise } from './support/images';
import './support/to-be-allclose';

/** A user's loss: how far the mean colour is from grey. */
const grey: Loss = {
  name: 'grey',
  layers: ['image'],
  compute: ({ image }) =>
    tf.mean(tf.square(tf.sub(tf.mean(image as tf.Tensor4D, [0, 1, 2]), 0.5))) as tf.Scalar,
};

function someLoss(extractor = tinyExtractor({ seed: 3, pooling: 'average' })) {
  const [content, style] = [noise(12, 17, 1), noise(9, 9, 2)];
  const loss = sum([
    weighted(2, contentLoss(extractor.extract(content, ['conv2_2']))),
    weighted(30, styleLoss(extractor.extract(style, ['conv1_1', 'conv2_2']))),
    weighted(5, totalVariationLoss()),
    weighted(7, grey),
  ]);
  return { extractor, loss };
}

describe('an objective', () => {
  onEachBackend(() => {
    it('is the loss of the image, and its terms add up', () => {
      const { extractor, loss } = someLoss();
      const image = noise(12, 17, 4);
      const { value, terms } = createObjective(extractor, loss, [12, 17]).evaluate(image);
      expect(value).toBeAllclose(loss.compute(extractor.extract(image, loss.layers)), { rtol: 1e-5 });
      expect(Object.keys(terms)).toEqual(['content', 'style', 'totalVariation', 'grey']);
      const total = Object.values(terms).reduce((a, b) => a + b.dataSync()[0], 0);
      expect(total).toBeAllclose(value, { rtol: 1e-5 });
    });

    it('has the gradient that central differences find, at a size that no pooling divides', async () => {
      const { extractor, loss } = someLoss();
      const objective = createObjective(extractor, loss, [12, 17]);
      await checkGradient(objective, noise(12, 17, 4), { steps: [3e-3, 1e-3, 3e-4], tolerance: 0.03 });
    });

    it('leaves nothing but what it returns, and nothing when a loss throws', async () => {
      const { extractor, loss } = someLoss();
      const image = noise(12, 17, 4);
      const objective = createObjective(extractor, loss, [12, 17]);
      tf.dispose((await expectNoLeak(() => objective.evaluate(image))) as never);
      const broken: Loss = {
        ...grey,
        compute: () => {
          throw new Error('mine');
        },
      };
      const failing = createObjective(extractor, sum([loss, broken]), [12, 17]);
      await expectNoLeak(() => void expect(() => failing.evaluate(image)).toThrow('mine'));
    });

    it('numbers parts of the same name', () => {
      const extractor = tinyExtractor();
      const { terms } = createObjective(extractor, sum([grey, weighted(2, grey)]), [4, 4]).evaluate(
        noise(4, 4),
      );
      expect(Object.keys(terms)).toEqual(['grey', 'grey 2']);
      expect(terms['grey 2']).toBeAllclose(2 * terms.grey.dataSync()[0]);
    });
  });

  it('refuses a loss whose layers the extractor does not have', () => {
    const extractor = tinyExtractor({ layers: ['conv1_1'] });
    const loss: Loss = { ...grey, layers: ['conv2_1'] };
    expect(() => createObjective(extractor, loss, [4, 4])).toThrow(
      /needs layer 'conv2_1', which tiny network does not have.*It has: image, conv1_1/,
    );
  });
});
