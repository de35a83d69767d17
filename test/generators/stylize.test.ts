import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GeneratorStep } from '../../src/features/generator-network';
import {
  createGenerator,
  type Generator,
  openGenerator,
  type StylizeProgress,
  stylize,
} from '../../src/generators';
import * as node from '../../src/node';
import { expectNoLeak } from '../../src/testing';
import { onEachBackend } from '../support/backends';
import { negative, redAndBlue } from '../support/generators';
import { noise } from '../support/images';
import { numbersOf } from '../support/to-be-allclose';

const plain = { scale: [1, 1, 1], offset: [0, 0, 0] } as const;

const made = (
  steps: readonly GeneratorStep[],
  weights: Parameters<typeof createGenerator>[0]['weights'] = new Map(),
) => createGenerator({ network: { name: 'test', input: plain, steps, output: plain }, weights });

/** The mean of each 2x2 block. */
const blocks = made([
  { op: 'averagePool', name: 'pool', factor: 2 },
  { op: 'upsample', name: 'up' },
]);

const inverted = negative();
const colors = redAndBlue([0, 0.5, 1]);

describe('stylize', () => {
  onEachBackend(() => {
    it('fills sizes up with the mirror image, and cuts afterwards', async () => {
      const rows = [
        [0.1, 0.2, 0.3],
        [0.4, 0.5, 0.6],
        [0.7, 0.8, 0.9],
      ];
      const photo = tf.tensor3d(rows.map((row) => row.map((value) => [value, value, value])));
      const { image } = await stylize(photo, blocks);
      expect(image.shape).toEqual([3, 3, 3]);
      // A fourth column mirrors the second, a fourth row the second: means of 0.3, 0.2, 0.6, 0.5 and so on.
      const [a, b, c, d] = [0.3, 0.4, 0.6, 0.7];
      const expected = [
        [a, a, b],
        [a, a, b],
        [c, c, d],
      ];
      expect(await numbersOf(image)).toBeAllclose(expected.flat().flatMap((value) => [value, value, value]));
      tf.dispose([photo, image]);
    });

    it('mixes the photograph in, and takes its colours', async () => {
      const photo = noise(5, 4);
      const own = await numbersOf(photo);
      const painted = async (options: Parameters<typeof stylize>[2]) => {
        const { image } = await expectNoLeak(() =>
          stylize(photo, inverted, options).then(({ image }) => ({ image })),
        );
        const numbers = await numbersOf(image);
        image.dispose();
        return numbers;
      };
      expect(await painted({})).toBeAllclose(
        own.map((value) => 1 - value),
        { atol: 1e-6 },
      );
      expect(await painted({ strength: 0.25 })).toBeAllclose(
        own.map((value) => 0.75 * value + 0.25 * (1 - value)),
        {
          atol: 1e-6,
        },
      );
      expect(await painted({ strength: 0 })).toBeAllclose(own, { atol: 1e-6 });
      const mean = (numbers: readonly number[], channel: number) =>
        numbers.filter((_, i) => i % 3 === channel).reduce((sum, value) => sum + value, 0) /
        (numbers.length / 3);
      const covariance = await painted({ color: 'covariance' });
      for (const channel of [0, 1, 2]) expect(mean(covariance, channel)).toBeCloseTo(mean(own, channel), 1);
      // The chroma of a grey photograph is none.
      const grey = tf.fill([4, 4, 3], 0.5) as tf.Tensor3D;
      const { image } = await stylize(grey, colors, { styleWeights: { red: 1 }, color: 'content' });
      const [r, g, b] = await numbersOf(image);
      expect([g, b]).toBeAllclose([r, r], { atol: 2e-3 });
      tf.dispose([photo, grey, image]);
    });

    it('blends styles by their weights, by name or in their order', async () => {
      const photo = noise(4, 4);
      const pixel = async (styleWeights: Record<string, number> | number[]) => {
        const { image, dispose } = await stylize(photo, colors, { styleWeights });
        const numbers = (await numbersOf(image)).slice(0, 3);
        dispose();
        return numbers;
      };
      expect(await pixel({ blue: 2 })).toBeAllclose([0, 0.5, 1]);
      expect(await pixel({ red: 3, blue: 1 })).toBeAllclose([0.75, 0.125, 0.25]);
      expect(await pixel([3, 1])).toBeAllclose([0.75, 0.125, 0.25]);
      photo.dispose();
    });

    it('takes an open generator, whose calls do not disturb each other', async () => {
      const before = tf.memory().numTensors;
      const photo = noise(4, 4);
      const open = await openGenerator(colors, { engine: 'tfjs' });
      const results = await Promise.all(
        ['red', 'blue', 'red'].map((style) => stylize(photo, open, { styleWeights: { [style]: 1 } })),
      );
      const found = await Promise.all(results.map(async ({ image }) => (await numbersOf(image)).slice(0, 3)));
      expect(found).toBeAllclose([
        [1, 0, 0],
        [0, 0.5, 1],
        [1, 0, 0],
      ]);
      for (const result of results) result.dispose();
      await expect(stylize(photo, open, { styleWeights: [1], engine: 'tfjs' })).rejects.toThrow(
        'engine has no effect on a generator that has been opened',
      );
      open.dispose();
      await expect(stylize(photo, open, { styleWeights: [1] })).rejects.toMatchObject({ code: 'DISPOSED' });
      photo.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  describe('refuses before any work', () => {
    const photo = { data: new Uint8Array(3 * 6 * 6), width: 6, height: 6, channels: 3 } as const;
    beforeAll(async () => {
      await tf.setBackend('cpu');
    });

    it.each<[what: string, generator: unknown, options: object, error: object]>([
      [
        'what is no generator',
        {},
        {},
        { message: expect.stringContaining('what loadGenerator(), trainGenerator()') },
      ],
      [
        'an unknown option',
        inverted,
        { strenght: 1 },
        { message: expect.stringContaining("did you mean 'strength'") },
      ],
      ['a strength above 1', inverted, { strength: 2 }, { code: 'OUT_OF_RANGE' }],
      ['weights for one style', inverted, { styleWeights: [1] }, { code: 'CONFLICTING_OPTIONS' }],
      [
        'no weights for several',
        colors,
        {},
        { message: 'styleWeights is missing; accepted: a weight for some of red, blue.' },
      ],
      [
        'an unknown style',
        colors,
        { styleWeights: { rad: 1 } },
        { message: expect.stringContaining("did you mean 'red'") },
      ],
      ['weights of 0', colors, { styleWeights: [0, 0] }, { code: 'OUT_OF_RANGE' }],
      ['a negative weight', colors, { styleWeights: { red: -1 } }, { option: 'styleWeights.red' }],
      ['too many weights', colors, { styleWeights: [1, 1, 1] }, { code: 'OUT_OF_RANGE' }],
      ['an unknown engine', inverted, { engine: 'cuda' }, { code: 'UNKNOWN_NAME' }],
    ])('%s', async (_what, generator, options, error) => {
      const before = tf.memory().numTensors;
      await expect(stylize(photo, generator as Generator, options)).rejects.toMatchObject(error);
      expect(tf.memory().numTensors).toBe(before);
    });

    it('a photograph that is too small', async () => {
      const wide = made(
        [{ op: 'conv', name: 'a', channelsIn: 3, channelsOut: 3, size: 15, padding: 'reflect', kernel: 'a' }],
        new Map([['a', { shape: [15, 15, 3, 3], values: new Float32Array(15 * 15 * 9) }]]),
      );
      const before = tf.memory().numTensors;
      await expect(stylize(photo, wide, { engine: 'tfjs' })).rejects.toMatchObject({
        code: 'TOO_SMALL',
        message: 'image has 6x6 pixels; accepted: at least 8x8 pixels for this generator.',
      });
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  it('sends its events in order, and ends by the signal or a listener that fails, without leaks', async () => {
    await tf.setBackend('cpu');
    const photo = noise(6, 5);
    const events: StylizeProgress[] = [];
    const { dispose, elapsedMs } = await stylize(photo, inverted, {
      size: 12,
      engine: 'tfjs',
      onProgress: (event) => void events.push(event),
    });
    expect(events).toEqual([{ type: 'start', generator: 'negative', width: 10, height: 12 }]);
    expect(elapsedMs).toBeGreaterThan(0);
    dispose();
    dispose();
    const before = tf.memory().numTensors;
    await expect(stylize(photo, inverted, { signal: AbortSignal.abort('no more') })).rejects.toBe('no more');
    const failing = () => Promise.reject(new RangeError('of the listener'));
    await expect(stylize(photo, inverted, { onProgress: failing })).rejects.toThrow('of the listener');
    const controller = new AbortController();
    const aborting = stylize(photo, inverted, {
      engine: 'tfjs',
      signal: controller.signal,
      onProgress: () => controller.abort('now'),
    });
    await expect(aborting).rejects.toBe('now');
    expect(tf.memory().numTensors).toBe(before);
    photo.dispose();
  });

  it('paints files in Node', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stylize-'));
    try {
      const path = join(folder, 'negative.safetensors');
      await node.saveGenerator(path, inverted);
      const { image } = await node.stylize('test/reference/image-96x64.png', await node.loadGenerator(path));
      const photo = await node.readImage('test/reference/image-96x64.png');
      const own = await numbersOf(photo);
      expect(image.shape).toEqual(photo.shape);
      expect(await numbersOf(image)).toBeAllclose(
        own.map((value) => 1 - value),
        { atol: 1e-6 },
      );
      tf.dispose([image, photo]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
