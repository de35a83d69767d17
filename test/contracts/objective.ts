import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { EngineExtractor } from '../../src/engines';
import type { Image } from '../../src/image/image';
import {
  contentLoss,
  type Loss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
} from '../../src/losses';
import { createObjective, type Evaluation, type Objective } from '../../src/objective';
import { adam, lbfgs, minimize, pyramidPreconditioner } from '../../src/optim';
import { checkGradient, expectNoLeak } from '../../src/testing';
import { noise } from '../support/images';
import { numbersOf } from '../support/to-be-allclose';

const [height, width] = [14, 19];

/**
 * A user's loss without terms: the squared distance of the mean colour from grey. It throws at its call number
 * `failAt`.
 */
function greyLoss(failAt = Number.POSITIVE_INFINITY): Loss {
  let calls = 0;
  return {
    name: 'grey',
    layers: ['image'],
    compute: ({ image }) => {
      if (calls++ === failAt) throw new Error('mine');
      return tf.mean(tf.square(tf.sub(tf.mean(image as tf.Tensor4D, [0, 1, 2]), 0.5))) as tf.Scalar;
    },
  };
}

/** Every loss of the library, and one of a user's, over an extractor that has conv1_1, conv2_1 and conv2_2. */
function someLoss(extractor: EngineExtractor, own = greyLoss()): Loss {
  const images = [noise(height, width, 1), noise(9, 11, 2), noise(height, width, 3)] as const;
  const content = extractor.extract(images[0], ['conv2_1', 'conv2_2']);
  const style = extractor.extract(images[1], ['conv1_1', 'conv2_1']);
  const loss = sum([
    contentLoss(content, { layers: ['conv2_2'] }),
    weighted(30, styleLoss(style)),
    weighted(0.5, perceptualLoss(content, { layers: ['conv2_1'] })),
    weighted(3, pixelLoss(images[2])),
    weighted(5, totalVariationLoss()),
    weighted(7, own),
  ]);
  tf.dispose([content, style, images] as tf.TensorContainer);
  return loss;
}

const free = (evaluation: Evaluation): void => tf.dispose({ ...evaluation } as tf.TensorContainer);

/**
 * The contract of objectives: the loss of the image, by `evaluate` and in the engine's own vectors alike; its
 * gradient; terms that add up; refusals of wrong images and of use after `dispose`; no leak, whatever fails.
 *
 * @param make an extractor whose objectives are tested; it has conv1_1, conv2_1, conv2_2
 * @param onGpu whether read-backs take long: the gradient is checked along one direction
 */
export function objectiveContract(
  make: () => Promise<EngineExtractor> | EngineExtractor,
  { onGpu = false }: { readonly onGpu?: boolean } = {},
): void {
  async function open(own?: Loss) {
    const extractor = await make();
    const loss = someLoss(extractor, own);
    const objective = createObjective(extractor, loss, [height, width]);
    return {
      extractor,
      loss,
      objective,
      close() {
        objective.dispose();
        loss.dispose?.();
        extractor.dispose();
      },
    };
  }

  it('is the loss of the image, and its terms add up', async () => {
    const { extractor, loss, objective, close } = await open();
    const image = noise(height, width, 4);
    const evaluation = await expectNoLeak(() => objective.evaluate(image));
    const { value, gradient, terms } = evaluation;
    const direct = tf.tidy(() => loss.compute(extractor.extract(image, loss.layers)));
    expect(await numbersOf(value)).toBeAllclose(await numbersOf(direct), { rtol: 1e-4 });
    expect(gradient.shape).toEqual([height, width, 3]);
    expect(Object.keys(terms)).toEqual(['content', 'style', 'perceptual', 'pixel', 'totalVariation', 'grey']);
    let total = 0;
    for (const term of Object.values(terms)) total += (await numbersOf(term))[0];
    expect([total]).toBeAllclose(await numbersOf(value), { rtol: 1e-5 });
    free(evaluation);
    close();
  });

  it('has the gradient that central differences find', async () => {
    const { objective, close } = await open();
    const { maxError } = await checkGradient(objective, noise(height, width, 5), {
      ...(onGpu ? { directions: 1, steps: [3e-3, 1e-3, 3e-4] } : { steps: [1e-2, 3e-3, 1e-3, 3e-4] }),
      tolerance: 0.03,
    });
    expect(maxError).toBeLessThan(0.03);
    close();
  });

  it('gives the same again, also after another image', async () => {
    const { objective, close } = await open();
    const [image, other] = [noise(height, width, 6), noise(height, width, 7)];
    const first = objective.evaluate(image);
    free(objective.evaluate(other));
    const second = objective.evaluate(image);
    expect(await second.value.data()).toEqual(await first.value.data());
    expect(await second.gradient.data()).toEqual(await first.gradient.data());
    for (const evaluation of [first, second]) free(evaluation);
    close();
  });

  it('refuses anything but an image of its size, before any work', async () => {
    const { objective, close } = await open();
    const wrong = [noise(height, width + 1), noise(width, height), tf.zeros([height, width, 1])];
    await expectNoLeak(() => {
      for (const image of wrong)
        expect(() => objective.evaluate(image as Image)).toThrow(
          expect.objectContaining({ code: 'WRONG_SHAPE' }),
        );
      expect(() => objective.evaluate([] as never)).toThrow(expect.objectContaining({ code: 'WRONG_SHAPE' }));
    });
    await expectNoLeak(async () => {
      await expect(minimize(objective, wrong[0] as Image)).rejects.toMatchObject({ code: 'WRONG_SHAPE' });
    });
    close();
  });

  it('refuses use after dispose, which may be called twice', async () => {
    const { objective, close } = await open();
    const image = noise(height, width);
    objective.dispose();
    objective.dispose();
    expect(() => objective.evaluate(image)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    await expectNoLeak(async () => {
      await expect(minimize(objective, image)).rejects.toMatchObject({ code: 'DISPOSED' });
    });
    close();
  });

  it('ends a run within one evaluation once it is disposed', async () => {
    const { objective, close } = await open();
    let evaluations = 0;
    const run = minimize(objective, noise(height, width), {
      tolerance: 0,
      onStep: (step) => {
        evaluations = step.evaluations;
        if (step.iteration === 2) objective.dispose();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(evaluations).toBeLessThan(8);
    close();
  });

  it.each([
    // Some spaces would keep the history in 8 bits.
    [
      'L-BFGS with a preconditioner and bounds',
      lbfgs({ preconditioner: pyramidPreconditioner(), precision: 'float32' }),
    ],
    ['Adam', adam()],
  ])('comes to the same in its own vectors and in tensors: %s', async (_, method) => {
    const { objective, close } = await open();
    const start = noise(height, width, 8);
    const run = (minimized: Objective) =>
      expectNoLeak(() => minimize(minimized, start, { method, bounds: [0, 1], maxEvaluations: 6 }));
    const [own, tensors] = [
      await run(objective),
      await run({ ...objective, evaluate: (x) => objective.evaluate(x) }),
    ];
    expect(own.evaluations).toBe(6);
    expect(own.value).toBeAllclose(tensors.value, { rtol: 1e-4 });
    expect(await numbersOf(own.x)).toBeAllclose(await numbersOf(tensors.x), { atol: 1e-3 });
    expect(Object.keys(own.terms)).toEqual(Object.keys(tensors.terms));
    tf.dispose([own.x, tensors.x]);
    close();
  });

  it('is minimised as a copy where it is copied with another evaluate', async () => {
    const { objective, close } = await open();
    let asked = 0;
    const copy: Objective = {
      ...objective,
      evaluate: (image) => {
        asked++;
        return objective.evaluate(image);
      },
    };
    const { x, evaluations } = await minimize(copy, noise(height, width), { maxEvaluations: 4 });
    expect(evaluations).toBe(4);
    expect(asked).toBe(4);
    x.dispose();
    close();
  });

  it('leaks nothing where a loss fails, whichever call it is', async () => {
    for (const failAt of [0, 1, 3]) {
      const { objective, close } = await open(greyLoss(failAt));
      const start = noise(height, width);
      await expectNoLeak(async () => {
        await expect(minimize(objective, start)).rejects.toThrow('mine');
      });
      // The failure left the objective as it was.
      free(objective.evaluate(start));
      await expectNoLeak(() => free(objective.evaluate(start)));
      close();
    }
  });

  it('leaves nothing behind once all is disposed', async () => {
    const before = tf.memory().numTensors;
    const { objective, close } = await open();
    const start = noise(height, width);
    (await minimize(objective, start, { maxEvaluations: 3 })).x.dispose();
    start.dispose();
    close();
    expect(tf.memory().numTensors).toBe(before);
  });
}
