import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineExtractor } from '../../../src/engines/engine';
import { bandsOf } from '../../../src/engines/shared/bands';
import { type FusedObjective, fusedObjective } from '../../../src/engines/wasm/losses/fused-objective';
import type { Tiling } from '../../../src/engines/wasm/losses/tiling';
import { Network } from '../../../src/engines/wasm/network/network';
import { stageCount } from '../../../src/engines/wasm/network/pass-plan';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import type { LayerName } from '../../../src/features/layer-name';
import type { LoadedNetwork } from '../../../src/features/network';
import type { Vgg19Layer } from '../../../src/features/vgg19/layers';
import { loadedVgg19 } from '../../../src/features/vgg19/network';
import {
  contentLoss,
  type Loss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
} from '../../../src/losses';
import { lossOfImage } from '../../../src/losses/image-target';
import type { Evaluation } from '../../../src/objective';
import { expectNoLeak } from '../../../src/testing';
import { noise } from '../../support/images';
import { randomWeights } from './random-weights';

/** Largest difference of two tensors, relative to the largest magnitude of the second. */
function difference(found: tf.Tensor, expected: tf.Tensor): number {
  return tf.tidy(() => {
    const worst = tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0];
    return worst / tf.max(tf.abs(expected)).dataSync()[0];
  });
}

const free = (evaluation: Evaluation) => tf.dispose({ ...evaluation } as tf.TensorContainer);

/** VGG-19 up to a layer, with random weights. */
const loaded = (lastLayer: Vgg19Layer): LoadedNetwork =>
  loadedVgg19(randomWeights(lastLayer), { lastLayer, convention: 'caffe', weightsName: 'random' });

/** A loss of the image that does not describe itself as data, and fails at its call number `failAt`. */
function grey(failAt = Number.POSITIVE_INFINITY): Loss {
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

/** Every loss of the library, with Gram matrices at `grams` and features at `features`. */
function everyLoss(
  extractor: EngineExtractor,
  size: readonly [height: number, width: number],
  grams: readonly LayerName[],
  features: readonly LayerName[],
): Loss[] {
  let losses: Loss[] = [];
  tf.tidy(() => {
    const content = noise(...size, 2);
    const target = extractor.extract(content, features);
    const style = extractor.extract(noise(35, 26, 3), grams);
    losses = [
      styleLoss(style),
      styleLoss(style, { distance: 'l1', normalization: 'positions' }),
      contentLoss(target, { layers: features }),
      perceptualLoss(target, { layers: features, distance: 'l1' }),
      lossOfImage(extractor, content, { name: 'content', layers: features, distance: 'mse' }),
      pixelLoss(noise(...size, 4)),
      totalVariationLoss(),
      totalVariationLoss({ distance: 'l1' }),
      grey(),
    ];
  });
  return losses;
}

describe.each([
  ['conv3_1', 1, [67, 13], ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'], ['conv2_2'], [1, 20]],
  ['conv3_1', 2, [50, 19], ['relu1_1', 'pool1', 'relu2_2', 'pool2'], ['conv1_1', 'relu2_1'], [12, 28]],
  ['conv5_1', 2, [83, 17], ['conv1_1', 'conv5_1'], ['conv4_2'], [48]],
] as const)(
  'tiles of %s on %d threads, at %s pixels',
  (lastLayer, threads, size, grams, features, heights) => {
    let extractor: EngineExtractor;
    let network: Network;
    let losses: Loss[];

    beforeAll(async () => {
      await tf.setBackend('cpu');
      extractor = await createWasmExtractor({ ...loaded(lastLayer), threads });
      const { network: data, weights } = loaded(lastLayer);
      network = new Network(await KernelRunner.create({ threads }), data, weights);
      losses = everyLoss(extractor, size, grams, features);
    });
    afterAll(() => {
      for (const loss of losses) loss.dispose?.();
      extractor.dispose();
      network.engine.dispose();
    });

    /** Expects of a loss that tiles give what the whole image gives. */
    function expectWhole(loss: Loss, rows: number, tilings: readonly (readonly [number, boolean])[]): void {
      const bands = bandsOf(network.steps, loss.layers, size[0], rows);
      expect(bands.length).toBeGreaterThan(1);
      const evaluate = (tiling?: Tiling) => {
        const objective = fusedObjective(network, loss, size, { tiling });
        const at = noise(size[0], size[1], 5);
        const evaluation = objective.evaluate(at);
        at.dispose();
        objective.dispose();
        return evaluation;
      };
      const whole = evaluate();
      const before = network.engine.memory.bytes;
      for (const [keptFrom, holdsTargets] of tilings) {
        const found = evaluate({ rows, keptFrom, holdsTargets });
        expect(difference(found.value, whole.value), loss.name).toBeLessThan(1e-5);
        expect(difference(found.gradient, whole.gradient), loss.name).toBeLessThan(1e-5);
        for (const [name, term] of Object.entries(found.terms))
          expect(difference(term, whole.terms[name]), name).toBeLessThan(1e-5);
        free(found);
      }
      expect(network.engine.memory.bytes).toBe(before);
      free(whole);
    }

    it('are the whole image for every loss alone', () => {
      for (const loss of losses)
        expectWhole(loss, heights[0], [[stageCount(network.places, loss.layers), false]]);
    });

    it.each(heights)('are the whole image in bands of %d rows, whatever is kept', (rows) => {
      const all = sum(losses);
      const count = stageCount(network.places, all.layers);
      expectWhole(all, rows, [
        [count, false],
        [count - 1, true],
        [1, false],
      ]);
    });
  },
);

describe('a tiled evaluation', () => {
  const size = [40, 14] as const;
  let extractor: EngineExtractor;
  let network: Network;
  let content: Loss;
  const tiled = (loss: Loss) => {
    const tiling = { rows: 8, keptFrom: stageCount(network.places, loss.layers), holdsTargets: false };
    return fusedObjective(network, loss, size, { tiling });
  };
  const pixels = (seed: number) => noise(...size, seed).dataSync<'float32'>();
  /** Loss and gradient of an image by themselves. */
  const alone = (objective: FusedObjective, image: Float32Array) => {
    const gradient = new Float32Array(image.length);
    return { ...objective.compute(image, gradient), gradient };
  };

  beforeAll(async () => {
    await tf.setBackend('cpu');
    extractor = await createWasmExtractor({ ...loaded('conv2_2'), threads: 1 });
    const { network: data, weights } = loaded('conv2_2');
    network = new Network(await KernelRunner.create({ threads: 1 }), data, weights);
    content = sum([...everyLoss(extractor, size, ['conv1_1', 'conv2_1'], ['conv2_2']).slice(0, -1)]);
  });
  afterAll(() => {
    content.dispose?.();
    extractor.dispose();
    network.engine.dispose();
  });

  it('gives other tasks a turn between bands, and ends there when it is aborted', async () => {
    const objective = tiled(content);
    const image = pixels(6);
    const expected = alone(objective, image);
    const gradient = new Float32Array(image.length);
    const views = [() => image, () => gradient] as const;
    let turns = 0;
    const ticking = setInterval(() => turns++, 0);
    const found = await objective.computeInTurns(...views);
    clearInterval(ticking);
    expect({ ...found, gradient }).toEqual(expected);
    expect(turns).toBeGreaterThan(3);

    const controller = new AbortController();
    const reason = new Error('enough');
    let runs = 0;
    const run = vi.spyOn(network.engine, 'run').mockImplementation((...args) => {
      // In the first band.
      if (runs++ === 2) controller.abort(reason);
      const [name, values, items] = args;
      return KernelRunner.prototype.run.call(network.engine, name, values, items);
    });
    await expect(objective.computeInTurns(...views, controller.signal)).rejects.toBe(reason);
    const aborted = runs;
    await objective.computeInTurns(...views);
    run.mockRestore();
    expect(aborted).toBeLessThan((runs - aborted) / 5);
    objective.dispose();
  });

  it('is right beside another one, and beside one that takes no turns', async () => {
    const objective = tiled(content);
    const images = [7, 8, 9].map(pixels);
    const expected = images.map((image) => alone(objective, image));
    const gradients = images.map((image) => new Float32Array(image.length));
    const [first, second] = [0, 1].map((i) =>
      objective.computeInTurns(
        () => images[i],
        () => gradients[i],
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 3));
    const third = objective.compute(images[2], gradients[2]);
    const found = [await first, await second, third];
    for (const i of [0, 1, 2]) expect({ ...found[i], gradient: gradients[i] }).toEqual(expected[i]);
    objective.dispose();
  });

  it('ends when the objective is disposed', async () => {
    const objective = tiled(content);
    const image = pixels(6);
    const evaluation = objective.computeInTurns(
      () => image,
      () => new Float32Array(image.length),
    );
    objective.dispose();
    await expect(evaluation).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('leaves nothing behind whichever kernel fails, and is right afterwards', async () => {
    const objective = tiled(sum([content, grey()]));
    const image = noise(...size, 6);
    const expected = alone(objective, image.dataSync<'float32'>());
    const { bytes } = network.engine.memory;
    const { run } = KernelRunner.prototype;
    let failed = 0;
    for (let at = 0; at < 300; at += 13) {
      let calls = 0;
      const faulty = vi.spyOn(network.engine, 'run').mockImplementation((name, values, items) => {
        if (calls++ === at) throw new Error('fault');
        run.call(network.engine, name, values, items);
      });
      await expectNoLeak(() => {
        try {
          free(objective.evaluate(image));
        } catch (error) {
          expect((error as Error).message).toBe('fault');
          failed++;
        }
      });
      faulty.mockRestore();
      expect(network.engine.memory.bytes).toBe(bytes);
    }
    expect(failed).toBeGreaterThan(10);
    expect(alone(objective, image.dataSync<'float32'>())).toEqual(expected);
    objective.dispose();
  });

  it('takes the same memory again and again, also after a loss or a target has failed', async () => {
    const target = extractor.extract(noise(...size, 1), ['conv2_2']);
    const held = contentLoss(target);
    const { terms = [] } = held;
    const failing = grey(1);
    const objective = tiled(sum([content, held, failing]));
    const image = noise(...size, 6);
    free(objective.evaluate(image));
    const { bytes, memory } = network.engine.memory;
    const heap = memory.buffer.byteLength;
    const same = () => {
      expect(network.engine.memory.bytes).toBe(bytes);
      expect(memory.buffer.byteLength).toBe(heap);
    };
    await expectNoLeak(() => {
      expect(() => objective.evaluate(image)).toThrow('mine');
    });
    same();
    for (let i = 0; i < 3; i++) await expectNoLeak(() => free(objective.evaluate(image)));
    same();
    tf.dispose(target as tf.TensorContainer);
    for (const term of terms) if ('target' in term) term.target.dispose();
    await expectNoLeak(() => {
      expect(() => objective.evaluate(image)).toThrow();
    });
    same();
    objective.dispose();
  });
});
