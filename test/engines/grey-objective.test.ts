import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadVgg19 } from '../../src/engines';
import type { EngineExtractor } from '../../src/engines/engine';
import type { Image } from '../../src/image/image';
import { contentLoss, defineLoss, styleLoss, sum, totalVariationLoss, weighted } from '../../src/losses';
import { createObjective } from '../../src/objective';
import { minimize } from '../../src/optim';
import { owning } from '../../src/owning';
import '../support/backends';
import { expectNear } from '../support/expect-near';
import { noise } from '../support/images';

const greyOf = (image: Image): Image => tf.tile(tf.mean<Image>(image, 2, true), [1, 1, 3]);

/** Reads red alone, which tfjs computes on either engine. */
const red = () =>
  defineLoss({
    name: 'red',
    layers: ['image'],
    compute: ({ image }) => tf.mean(tf.square(tf.slice(image, [0, 0, 0, 0], [-1, -1, -1, 1]))) as tf.Scalar,
  });

describe.each(['wasm', 'tfjs'] as const)('an objective of grey on the engine %s', (engine) => {
  let extractor: EngineExtractor;
  beforeAll(async () => {
    await tf.setBackend('wasm');
    extractor = await loadVgg19({ weights: 'embedded', engine });
    return () => extractor.dispose();
  });

  const lossOf = (own: boolean) =>
    sum([
      contentLoss(extractor.extract(noise(21, 26, 1), ['conv2_2'])),
      weighted(1e3, styleLoss(extractor.extract(noise(20, 20, 2), ['conv1_1', 'conv2_1']))),
      weighted(0.1, totalVariationLoss()),
      ...(own ? [red()] : []),
    ]);

  it.each([
    ['of terms', false],
    ['with a loss of tfjs', true],
  ])('has the value at the mean of the channels and the mean of the gradient in each, %s', (_, own) => {
    const loss = lossOf(own);
    const image = noise(21, 26, 3);
    owning(({ temporary }) => {
      const plain = temporary(createObjective(extractor, loss, [21, 26]));
      const grey = temporary(createObjective(extractor, loss, [21, 26], { grey: true }));
      const expected = plain.evaluate(greyOf(image));
      const found = grey.evaluate(image);
      expectNear(found.value, expected.value, 1e-6);
      expectNear(found.gradient, greyOf(expected.gradient), 1e-6);
      const [first, second, third] = tf.unstack(found.gradient, 2);
      expect(second.dataSync()).toEqual(first.dataSync());
      expect(third.dataSync()).toEqual(first.dataSync());
    });
    loss.dispose?.();
  });

  it('keeps a run from a grey start in grey', async () => {
    const loss = lossOf(false);
    const objective = createObjective(extractor, loss, [21, 26], { grey: true });
    const { x, value } = await minimize(objective, greyOf(noise(21, 26, 4)), {
      bounds: [0, 1],
      maxIterations: 12,
    });
    expectNear(x, greyOf(x), 2e-2);
    const again = objective.evaluate(greyOf(x)).value;
    expect(again.dataSync()[0] / value).toBeCloseTo(1, 5);
    objective.dispose();
    loss.dispose?.();
  });

  it('is minimised in the space of its engine where there is one', async () => {
    const loss = lossOf(false);
    const objective = createObjective(extractor, loss, [21, 26], { grey: true });
    const problem = await objective.problem?.();
    expect(problem !== undefined).toBe(engine === 'wasm');
    problem?.space.close();
    objective.dispose();
    loss.dispose?.();
  });
});
