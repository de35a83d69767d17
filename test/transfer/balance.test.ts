import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadVgg19, tfjs, wasm } from '../../src/engines';
import type { Image } from '../../src/image/image';
import {
  contentLoss,
  defineLoss,
  edgeLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
} from '../../src/losses';
import { lbfgs } from '../../src/optim';
import { expectNoLeak } from '../../src/testing';
import type { StyleTransferOptions } from '../../src/transfer/options';
import type { StyleTransferProgress } from '../../src/transfer/progress';
import { styleTransfer } from '../../src/transfer/style-transfer';
import '../support/backends';
import { noise } from '../support/images';

let content: Image;
let style: Image;

beforeAll(async () => {
  await tf.setBackend('wasm');
  content = noise(20, 28, 1);
  style = tf.tidy(() => tf.mul<Image>(noise(18, 16, 2), [0.9, 0.5, 0.2]));
});

/** On one thread: a second takes longer to start than it saves. */
const short = { weights: 'embedded', iterations: 2, balance: 'initial', threads: 1 } as const;

/** History, divisors of each stage, and warnings of a run. */
async function run(options: StyleTransferOptions, images: readonly [Image, Image] = [content, style]) {
  const warnings: string[] = [];
  const starts: (Readonly<Record<string, number>> | undefined)[] = [];
  const onProgress = (event: StyleTransferProgress) => {
    if (event.type === 'warning') warnings.push(`${event.code} ${event.message}`);
    if (event.type === 'start') starts.push(event.stage.divisors);
  };
  using result = await styleTransfer(...images, { ...short, onProgress, ...options });
  const { history, loss, terms, settings } = result;
  return { history, loss, terms, settings, starts, warnings };
}

describe("balance: 'initial'", () => {
  it.each(['li2021', 'pytorch-tutorial'] as const)(
    'lets style count beta at the start of %s, at every size',
    async (preset) => {
      for (const size of [16, 28]) {
        const { history } = await run({ preset, size, beta: 7, scales: 1 });
        expect(history[0].terms.style).toBeCloseTo(7, 4);
        expect(history[0].terms.content).toBe(0);
      }
    },
  );

  it('divides content by its value at a flat image, so that alpha is what it counts there', async () => {
    const mean = tf.tidy(() => tf.tile(tf.mean<Image>(content, [0, 1], true), [20, 28, 1]));
    const { starts } = await run({ preset: 'pytorch-tutorial' });
    const plain = await run({ preset: 'pytorch-tutorial', balance: 'none', init: mean });
    expect(starts[0]?.content).toBeCloseTo(plain.history[0].terms.content, 3);
    const { history } = await run({ preset: 'pytorch-tutorial', alpha: 3, init: mean });
    expect(history[0].terms.content).toBeCloseTo(3, 4);
    mean.dispose();
  });

  it('divides content by its value at the start where that has little of it', async () => {
    const { history } = await run({ preset: 'pytorch-tutorial', init: 'noise', alpha: 2, beta: 5 });
    expect(history[0].terms).toEqual({ content: expect.closeTo(2, 4), style: expect.closeTo(5, 3) });
  });

  it('divides plain values, which terms, divisors and weights give back', async () => {
    const [plain, balanced] = [await run({ balance: 'none', beta: 1 }), await run({ beta: 4 })];
    const { terms, stage } = balanced.history[0];
    expect((terms.style * (stage.divisors?.style ?? 0)) / 4).toBeCloseTo(plain.history[0].terms.style, 6);
    expect(plain.history[0].stage.divisors).toBeUndefined();
    expect(balanced.starts).toEqual([stage.divisors]);
    for (const { loss, terms: each } of balanced.history)
      expect(Object.values(each).reduce((total, term) => total + term)).toBeCloseTo(loss, 4);
  });

  it('takes no regard of the scale of a loss: a thousandth of it gives the same picture', async () => {
    const losses = (factor: number) => ({
      loss: ({ extractor, content: image, style: painting }: Parameters<typeof lossOf>[0]) =>
        lossOf({ extractor, content: image, style: painting }, factor),
    });
    const lossOf = (
      {
        extractor,
        content: image,
        style: painting,
      }: Pick<
        Parameters<Extract<NonNullable<StyleTransferOptions['loss']>, (...args: never) => unknown>>[0],
        'extractor' | 'content' | 'style'
      >,
      factor: number,
    ) => {
      const scaled = defineLoss({
        name: 'red',
        layers: ['image'],
        compute: ({ image: at }) =>
          tf.mul<tf.Scalar>(tf.mean(tf.square(tf.slice(at, 0, [-1, -1, -1, 1]))), factor),
      });
      return sum([
        contentLoss(extractor.extract(image, ['conv2_2'])),
        weighted(3, styleLoss(extractor.extract(painting, ['conv1_1', 'conv2_1']))),
        weighted(0.5, scaled),
      ]);
    };
    const [one, thousandth] = [await run(losses(1)), await run(losses(1e-3))];
    expect(one.history[0].terms).toEqual({
      content: 0,
      style: expect.closeTo(3, 4),
      red: expect.closeTo(0.5, 5),
    });
    expect(thousandth.loss).toBeCloseTo(one.loss, 4);
    expect(thousandth.terms.red).toBeCloseTo(one.terms.red, 4);
  });

  it('has a reference for losses that are 0 at the content, and for the roughness of a start', async () => {
    const { history, warnings } = await run({
      loss: ({ content: image }) => sum([weighted(2, edgeLoss(image)), weighted(5, totalVariationLoss())]),
    });
    expect(history[0].terms).toEqual({ edge: 0, totalVariation: expect.closeTo(5, 4) });
    expect(history[0].stage.divisors).toEqual({
      edge: expect.any(Number),
      totalVariation: expect.any(Number),
    });
    expect(warnings).toEqual([]);
  });

  it('compares with the start of the run in every stage, not with what the one before painted', async () => {
    const { history } = await run({
      preset: 'pytorch-tutorial',
      beta: 9,
      iterations: undefined,
      scales: [
        { size: 16, iterations: 8 },
        { size: 28, iterations: 1 },
      ],
    });
    const [first, second] = [0, 1].map((index) => history.filter(({ stage }) => stage.index === index));
    expect(first[0].terms.style).toBeCloseTo(9, 4);
    // Had the second stage divided by the value at its own start, that would be 9 again.
    expect(second[0].terms.style).toBeLessThan(4);
    const alone = await run({ preset: 'pytorch-tutorial', beta: 9, size: 28, scales: 1 });
    expect(second[0].stage.divisors).toEqual(alone.history[0].stage.divisors);
  });

  it.each([
    ['several styles', { style: [0.75, 0.25] }],
    ['the chroma of the content', { color: 'content' as const }],
    ['the engine tfjs', { engine: tfjs(), threads: undefined }],
  ])('works with %s', async (_, given) => {
    const { style: shares, ...options } = { style: undefined, ...given };
    const styles = shares?.map((weight, i) => ({ image: i === 0 ? style : content, weight })) ?? style;
    using result = await styleTransfer(content, styles, { ...short, ...options, beta: 6 });
    expect(result.history[0].terms.style).toBeCloseTo(6, 3);
    expect(result.loss).toBeLessThan(result.history[0].loss);
  });

  it('divides by the same values in tiles', async () => {
    const extractor = await loadVgg19({ weights: 'embedded', engine: wasm() });
    const high = noise(160, 40, 3);
    let bytes = 0;
    const common: StyleTransferOptions = {
      extractor,
      weights: undefined,
      threads: undefined,
      iterations: 6,
      optimizer: lbfgs({ memory: 3 }),
    };
    const onProgress = (event: StyleTransferProgress) => {
      if (event.type === 'start') bytes = event.plan.bytes;
    };
    const whole = await run({ ...common, onProgress }, [high, style]);
    // Less than the whole takes, with the program's own memory.
    const tiled = await run({ ...common, memory: Math.floor(0.6 * bytes) + 200e6 }, [high, style]);
    extractor.dispose();
    high.dispose();
    expect(tiled.settings.stages[0].tiles).toBeGreaterThan(1);
    const [one, other] = [whole, tiled].map(({ history }) => history[0].stage.divisors);
    expect(Object.keys(one ?? {})).toHaveLength(3);
    for (const [name, divisor] of Object.entries(one ?? {}))
      expect((other?.[name] ?? 0) / divisor).toBeCloseTo(1, 4);
  });

  it('leaves a term alone that is 0 at both images, and says so', async () => {
    const flat = tf.fill([20, 28, 3], 0.5) as Image;
    const { warnings, history } = await run({}, [flat, style]);
    flat.dispose();
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/^NOT_BALANCED The term 'content' is 0 at the start/);
    expect(history[0].stage.divisors).toMatchObject({ content: 1, perceptual: 1 });
  });

  it('takes no notice of a term of weight 0', async () => {
    const { starts, warnings } = await run({ preset: 'pytorch-tutorial', alpha: 0 });
    expect(Object.keys(starts[0] ?? {})).toEqual(['style']);
    expect(warnings).toEqual([]);
  });

  it('does not depend on units: alpha and beta are the same for all presets, and recorded', async () => {
    const { settings } = await run({ preset: 'pytorch-tutorial', size: 16 });
    expect(settings.options).toMatchObject({ balance: 'initial', alpha: 1, beta: expect.any(Number) });
    const other = await run({ preset: 'li2021', size: 16 });
    expect(other.settings.options.beta).toBe(settings.options.beta);
    const again = await run({ settings, weights: undefined, iterations: undefined, balance: undefined });
    expect(again.warnings).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    const result = await expectNoLeak(() => styleTransfer(content, style, short));
    result.dispose();
  });
});

describe('layerWeights', () => {
  it('multiply the layers of the style loss', async () => {
    const plain = { preset: 'pytorch-tutorial', balance: 'none', beta: 1 } as const;
    const styleOf = async (options: StyleTransferOptions) =>
      (await run({ ...plain, ...options })).history[0].terms.style;
    const all = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] as const;
    const none = Object.fromEntries(all.map((layer) => [layer, 0]));
    let total = 0;
    for (const layer of all) total += await styleOf({ layerWeights: { ...none, [layer]: 1 } });
    expect(total).toBeCloseTo(await styleOf({}), 6);
    const doubled = await styleOf({ layerWeights: { conv2_1: 2 } });
    expect(doubled - total).toBeCloseTo(await styleOf({ layerWeights: { ...none, conv2_1: 1 } }), 6);
  });

  it('are recorded and repeated, and left behind by another preset', async () => {
    const { settings } = await run({
      preset: 'pytorch-tutorial',
      balance: 'none',
      layerWeights: { conv1_1: 3 },
    });
    expect(settings.options.layerWeights).toEqual({ conv1_1: 3 });
    const again = await run({ settings, weights: undefined, iterations: undefined, balance: undefined });
    expect(again.settings).toEqual(settings);
    const other = await run({ settings, preset: 'li2021', weights: undefined, balance: undefined });
    expect(other.settings.options.layerWeights).toBeUndefined();
  });

  it.each<[StyleTransferOptions, string]>([
    [
      { layerWeights: { conv1_2: 1, conf2_1: 1 } as object },
      "layerWeights is 'conf2_1'; did you mean 'conv2_1'?",
    ],
    [{ layerWeights: { relu4_1: 1 } }, "layerWeights is 'relu4_1'"],
    [{ preset: 'gatys2016', layerWeights: { relu4_1: -1 } }, 'layerWeights.relu4_1 is -1'],
    [{ layerWeights: {} }, 'layerWeights is an object'],
    [{ layerWeights: [1, 2] as object }, 'layerWeights is [1, 2]'],
    [{ balance: 'inital' as 'initial' }, "balance is 'inital'; did you mean 'initial'?"],
    [{ loss: totalVariationLoss(), layerWeights: { conv1_1: 2 } }, 'layerWeights has no effect beside loss'],
    [
      { layerWeights: { conv1_1: 0, conv1_2: 0, conv2_1: 0, conv2_2: 0, conv3_1: 0 } },
      'layerWeights are all 0',
    ],
  ])('refuses %j before any work', async (options, message) => {
    await expect(styleTransfer(content, style, options)).rejects.toThrow(message);
  });
});
