import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { contentLoss, type Loss, pixelLoss, styleLoss, sum, weighted } from '../../src/losses';
import { adam } from '../../src/optim';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import type { StyleTransferProgress } from '../../src/transfer/progress';
import { styleTransfer } from '../../src/transfer/style-transfer';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';

const content = () => noise(20, 28, 1);
const style = () => noise(18, 18, 2);

describe('styleTransfer', () => {
  onEachBackend(() => {
    it('makes an image of the content’s size in [0,1] of lower loss, and leaves nothing else', async () => {
      const [extractor, c, s] = [tinyExtractor({ seed: 1 }), content(), style()];
      const result = await expectNoLeak(async () => {
        const { image, dispose, ...rest } = await styleTransfer(c, s, 1, 1e3, { extractor, iterations: 8 });
        return { image, rest };
      });
      expect(result.image.shape).toEqual([20, 28, 3]);
      const values = await result.image.data();
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...values)).toBeLessThanOrEqual(1);
      const { history, loss, terms, stopReason, iterations, evaluations } = result.rest;
      expect(loss).toBeLessThan(0.5 * history[0].loss);
      expect(Object.values(terms).reduce((a, b) => a + b)).toBeCloseTo(loss, 4);
      expect(Object.keys(terms)).toEqual(['content', 'perceptual', 'style']);
      expect([stopReason, iterations]).toEqual(['maxIterations', 8]);
      expect(evaluations).toBeGreaterThanOrEqual(9);
      expect(history.map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      result.image.dispose();
    });

    it('gives the same image to the bit for the same seed, and another for another', async () => {
      const run = async (seed: number) => {
        const options = { extractor: tinyExtractor(), init: 'noise', seed, iterations: 4 } as const;
        return (await styleTransfer(content(), style(), 1, 1e3, options)).image.data();
      };
      const [first, again, other] = [await run(5), await run(5), await run(6)];
      expect(again).toEqual(first);
      expect(other).not.toEqual(first);
    });

    it('stops within one evaluation of an abort, after handing out the best image so far', async () => {
      const [extractor, c, s] = [tinyExtractor(), content(), style()];
      const controller = new AbortController();
      const events: StyleTransferProgress[] = [];
      let saved: tf.Tensor3D | undefined;
      await expectNoLeak(async () => {
        const run = styleTransfer(c, s, 1, 1e3, {
          extractor,
          signal: controller.signal,
          onProgress: (event) => {
            events.push(event);
            if (event.type === 'step' && event.iteration === 3) controller.abort(new Error('enough'));
            if (event.type === 'interrupted') saved = event.image();
          },
        });
        await expect(run).rejects.toThrow('enough');
        return saved;
      });
      const steps = events.filter((event) => event.type === 'step');
      const last = events.at(-1);
      expect(steps.at(-1)?.iteration).toBe(3);
      expect(last).toMatchObject({ type: 'interrupted', loss: Math.min(...steps.map((step) => step.loss)) });
      expect(saved?.shape).toEqual([20, 28, 3]);
    });

    it('refuses to begin when it is aborted already', async () => {
      await expect(
        styleTransfer(content(), style(), { signal: AbortSignal.abort(new Error('never')) }),
      ).rejects.toThrow('never');
    });
  });

  it('tells what it does: start, then every iteration, with images on demand', async () => {
    await tf.setBackend('cpu');
    const [extractor, c, s] = [tinyExtractor(), content(), style()];
    const events: StyleTransferProgress[] = [];
    let image: tf.Tensor3D | undefined;
    const result = await expectNoLeak(async () => {
      const { image: final } = await styleTransfer(c, s, {
        extractor,
        iterations: 3,
        onProgress: (event) => {
          events.push(event);
          if (event.type === 'step' && event.iteration === 2) image = event.image();
        },
      });
      return { final, image };
    });
    expect(events.map(({ type }) => type)).toEqual(['start', 'step', 'step', 'step', 'step']);
    expect(events[0]).toMatchObject({
      width: 28,
      height: 20,
      preset: 'li2021',
      engine: 'tfjs',
      backend: 'cpu',
      embedded: false,
    });
    expect(events[4]).toMatchObject({ iteration: 3, iterations: 3 });
    expect(image?.shape).toEqual([20, 28, 3]);
    tf.dispose([result.final, image as tf.Tensor3D]);
  });

  it('takes a loss of the caller’s, or a function that makes one', async () => {
    const extractor = tinyExtractor();
    const target = tf.fill([20, 28, 3], 0.5) as tf.Tensor3D;
    const mine: Loss = weighted(3, pixelLoss(target, { distance: 'mse' }));
    const { image, loss } = await styleTransfer(content(), style(), {
      extractor,
      loss: mine,
      iterations: 30,
    });
    expect(loss).toBeLessThan(1e-6);
    expect(image).toBeAllclose(target, { atol: 2e-3 });
    mine.compute({ image: tf.expandDims(target, 0) as tf.Tensor4D }); // not disposed
    const [c, s] = [content(), style()];
    const made = await expectNoLeak(async () => {
      const { image: result, terms } = await styleTransfer(c, s, {
        extractor,
        iterations: 2,
        loss: ({ extractor: network, content: at, style: from }) =>
          sum([contentLoss(network.extract(at, ['relu1_1'])), styleLoss(network.extract(from, ['relu2_2']))]),
      });
      return { result, terms };
    });
    expect(Object.keys(made.terms)).toEqual(['content', 'style']);
  });

  it('starts where it is told, and brings that to size', async () => {
    const extractor = tinyExtractor();
    const start = async (init: 'style' | tf.Tensor3D) => {
      let first: tf.Tensor3D | undefined;
      await styleTransfer(content(), style(), {
        extractor,
        init,
        iterations: 1,
        onProgress: (event) => {
          if (event.type === 'step' && event.iteration === 0) first = event.image();
        },
      });
      return first as tf.Tensor3D;
    };
    const half = await start(tf.fill([5, 5, 3], 0.5) as tf.Tensor3D);
    expect(half).toBeAllclose(new Array(20 * 28 * 3).fill(0.5), { rtol: 1e-6 });
    expect((await start('style')).shape).toEqual([20, 28, 3]);
  });

  it('takes another optimiser', async () => {
    const { history } = await styleTransfer(content(), style(), {
      extractor: tinyExtractor(),
      optimizer: adam(),
      iterations: 5,
    });
    expect(history[5].loss).toBeLessThan(history[0].loss);
  });

  it('counts evaluations and stops at their limit', async () => {
    const result = await styleTransfer(content(), style(), { extractor: tinyExtractor(), maxEvaluations: 4 });
    expect(result).toMatchObject({ evaluations: 4, stopReason: 'maxEvaluations' });
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a negative alpha',
      () => styleTransfer(content(), style(), -1, 1e6),
      /alpha is -1; accepted: a finite number of at least 0/,
    ],
    [
      'alpha without beta',
      () => styleTransfer(content(), style(), 1, undefined as never),
      /beta is undefined/,
    ],
    [
      'a misspelt preset',
      () => styleTransfer(content(), style(), { preset: 'li2012' as never }),
      /preset is 'li2012'; did you mean 'li2021'/,
    ],
    [
      'a misspelt option',
      () => styleTransfer(content(), style(), { iteration: 5 } as never),
      /no option 'iteration'; did you mean 'iterations'/,
    ],
    [
      'half an iteration',
      () => styleTransfer(content(), style(), { iterations: 0.5 }),
      /iterations is 0.5; accepted: a whole number of at least 1/,
    ],
    [
      'an unknown start',
      () => styleTransfer(content(), style(), { init: 'random' as never }),
      /init is 'random'/,
    ],
    [
      'a size beyond use',
      () => styleTransfer(content(), style(), { size: 100000 }),
      /size is 100000; accepted: a whole number from 16 to 16384/,
    ],
    [
      'a content that is no image',
      () => styleTransfer('a.png' as never, style()),
      /content is 'a.png'; accepted: a tensor/,
    ],
    [
      'a style with NaN',
      () => styleTransfer(content(), tf.fill([4, 4, 3], Number.NaN) as tf.Tensor3D),
      /style holds NaN/,
    ],
    [
      'layers that the extractor lacks',
      () => styleTransfer(content(), style(), { extractor: tinyExtractor({ layers: ['conv1_1'] }) }),
      /The preset 'li2021' needs layer 'conv2_2', which tiny network does not have; it has: image, conv1_1/,
    ],
  ])('refuses %s before any work', async (_, run, message) => {
    await expect(run()).rejects.toThrow(message);
    await expect(run()).rejects.toMatchObject({ code: expect.any(String) });
  });
});
