import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadVgg19, wasm } from '../../src/engines';
import { type Loss, type LossTerm, styleLoss } from '../../src/losses';
import { encodeStyle, loadStyle } from '../../src/styles';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import { makeStyle } from '../../src/transfer/make-style';
import { type LossTargets, presetLoss } from '../../src/transfer/preset-loss';
import { getPreset } from '../../src/transfer/presets';
import { styleTransfer } from '../../src/transfer/style-transfer';
import type { StyleInput } from '../../src/transfer/styles';
import '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';

const preset = getPreset('li2021');
const content = () => noise(20, 28, 1);
const [one, other] = [() => noise(18, 18, 2), () => noise(16, 24, 3)];
type GramTerm = Extract<LossTerm, { kind: 'gram' }>;

/** The Gram terms of a loss and of its parts. */
const gramTerms = ({ terms = [], parts = [] }: Loss): GramTerm[] => [
  ...terms.filter((term) => term.kind === 'gram'),
  ...parts.flatMap(({ loss }) => gramTerms(loss)),
];

describe('several styles', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('are one target a layer: the mean of their Gram matrices by weight', async () => {
    const extractor = tinyExtractor();
    const layers = preset.style.layers;
    const grams = (image: tf.Tensor3D) =>
      gramTerms(styleLoss(extractor.extract(image, layers))).map(({ target }) => [...target.dataSync()]);
    const [a, b] = [grams(one()), grams(other())];
    const byHand = a.map((values, layer) => values.map((value, i) => (3 * value + b[layer][i]) / 4));
    const styles = [
      { image: one(), weight: 6 },
      { image: other(), weight: 2 },
    ];
    const terms = gramTerms(presetLoss(preset, { extractor, content: content(), style: one(), styles }));
    expect(terms.map(({ layer }) => layer)).toEqual(layers);
    for (const [i, { target }] of terms.entries())
      expect(target).toBeAllclose(tf.tensor2d(byHand[i], target.shape), { rtol: 1e-6, atol: 1e-9 });

    const style = await makeStyle(styles, { extractor });
    for (const [i, layer] of layers.entries())
      expect([...(style.tensors.get(`gram.${layer}`)?.values ?? [])]).toEqual(byHand[i].map(Math.fround));
  });

  it('paint as the style file of their blend does, to the bit, in one style term', async () => {
    const extractor = tinyExtractor();
    const entries = [{ image: one(), weight: 0.3 }, { image: other() }];
    const file = await makeStyle(entries, { extractor });
    const run = async (style: StyleInput) => {
      const { image, terms } = await styleTransfer(content(), style, 1, 1e3, { extractor, iterations: 3 });
      return { pixels: await image.data(), terms: Object.keys(terms) };
    };
    const painted = await run(entries);
    expect(painted.terms).toEqual(['content', 'perceptual', 'style']);
    expect(await run(file)).toEqual(painted);
    expect(await run([{ image: one() }])).not.toEqual(painted);
  });

  it('of which one has all the weight equal that one, to the bit', async () => {
    const extractor = tinyExtractor();
    const run = async (style: StyleInput) => {
      const options = { extractor, iterations: 3, init: 'content' } as const;
      return (await styleTransfer(content(), style, 1, 1e3, options)).image.data();
    };
    const alone = await run(one());
    expect(await run([{ image: one() }])).toEqual(alone);
    expect(await run([{ image: one(), weight: 0.1 }])).toEqual(alone);
    expect(
      await run([
        { image: other(), weight: 0 },
        { image: one(), weight: 7 },
      ]),
    ).toEqual(alone);
    const file = await makeStyle([{ image: one(), weight: 0.7 }], { extractor });
    expect(await run(file)).toEqual(alone);
    expect(await run([{ image: file, weight: 5 }])).toEqual(alone);
  });

  it('are freed after the run, also where it fails', async () => {
    const extractor = tinyExtractor();
    const [c, a, b] = [content(), one(), other()];
    const file = await makeStyle(b, { extractor });
    const entries = [{ image: a }, { image: file, weight: 2 }, { image: b }];
    await expectNoLeak(async () => {
      (await styleTransfer(c, entries, { extractor, iterations: 1 })).dispose();
    });
    const failing = () => {
      throw new Error('enough');
    };
    await expectNoLeak(async () => {
      await expect(styleTransfer(c, entries, { extractor, onProgress: failing })).rejects.toThrow('enough');
    });
  });

  it('reach a custom loss with weights that add up to 1, the first as `style` too', async () => {
    const extractor = tinyExtractor();
    let seen: LossTargets | undefined;
    const entries = [{ image: one(), weight: 3 }, { image: other() }];
    const { loss, image } = await styleTransfer(content(), entries, {
      extractor,
      iterations: 1,
      loss: (targets) => {
        seen = { ...targets, style: tf.keep(tf.clone(targets.style)) };
        return presetLoss(preset, targets);
      },
    });
    expect(seen?.styles.map(({ weight }) => weight)).toEqual([0.75, 0.25]);
    expect(await seen?.style.data()).toEqual(await entries[0].image.data());
    const same = await styleTransfer(content(), entries, { extractor, iterations: 1 });
    // The blend of a synchronous caller is in float32, that of a run in double precision.
    expect(loss / same.loss).toBeCloseTo(1, 6);
    expect(image.shape).toEqual(same.image.shape);
  });

  it('are refused before any work where a list is empty or its weights or images are wrong', async () => {
    const refused = async (styles: unknown) => {
      const error = await styleTransfer(content(), styles as StyleInput).catch((found) => found);
      return [error.code, error.option, error.message];
    };
    const image = one();
    expect(await refused([])).toEqual([
      'EMPTY',
      'style',
      'style is an empty list; accepted: at least one style of positive weight.',
    ]);
    expect(await refused([{ image }, { image, weight: -1 }])).toEqual([
      'OUT_OF_RANGE',
      'style[1].weight',
      'style[1].weight is -1; accepted: a finite number of at least 0.',
    ]);
    expect((await refused([{ image, weight: Number.NaN }])).slice(0, 2)).toEqual([
      'OUT_OF_RANGE',
      'style[0].weight',
    ]);
    expect((await refused([{ image, weight: 0 }])).slice(0, 2)).toEqual(['OUT_OF_RANGE', 'style']);
    expect((await refused([{ weight: 1 }])).slice(0, 2)).toEqual(['MISSING', 'style[0]']);
    expect((await refused([image])).slice(0, 2)).toEqual(['MISSING', 'style[0]']);
    expect((await refused([{ image, weigth: 2 }]))[2]).toContain("did you mean 'weight'?");
    expect((await refused([{ image: 'no picture' }])).slice(0, 2)).toEqual([
      'NOT_AN_IMAGE',
      'style[0].image',
    ]);
  });
});

describe('a style file', () => {
  it('paints the picture of its image, to the bit, on the wasm engine', async () => {
    await tf.setBackend('wasm');
    const extractor = await loadVgg19({ weights: 'embedded', engine: wasm({ threads: 2 }) });
    const style = one();
    const bytes = encodeStyle(await makeStyle(style, { extractor, size: 40 }));
    const options = { extractor, styleSize: 40, iterations: 2 };
    const byImage = await styleTransfer(content(), style, options);
    const byFile = await styleTransfer(content(), await loadStyle(bytes), options);
    expect(await byFile.image.data()).toEqual(await byImage.image.data());
    expect(byFile.loss).toBe(byImage.loss);
    extractor.dispose();
    await tf.setBackend('cpu');
  }, 60_000);

  it('is refused by a network, weights, layers, pooling or padding other than its own, with both named', async () => {
    const extractor = tinyExtractor({ seed: 1 });
    const file = await makeStyle(one(), { extractor });
    const refused = async (style: StyleInput, options: Parameters<typeof styleTransfer>[2] & object) => {
      const error = await styleTransfer(content(), style, { iterations: 1, ...options }).catch(
        (found) => found,
      );
      return [error.name, error.code, error.message];
    };
    const otherWeights = tinyExtractor({ seed: 2 });
    const [name, code, message] = await refused(file, { extractor: otherWeights });
    expect([name, code]).toEqual(['InvalidArgumentError', 'WRONG_STYLE']);
    expect(message).toContain('random weights of seed 1, SHA-256 ');
    expect(message).toContain('random weights of seed 2, SHA-256 ');
    expect((await refused(file, { extractor: tinyExtractor({ seed: 1, pooling: 'average' }) }))[2]).toContain(
      'pooling max; accepted: pooling average',
    );
    expect((await refused(file, { extractor: tinyExtractor({ seed: 1, padding: 'reflect' }) }))[2]).toContain(
      'padding zero; accepted: padding reflect',
    );
    const embedded = await refused(file, { weights: 'embedded' });
    expect(embedded[2]).toContain('network tiny network; accepted: network vgg19');
    // Refused before the network is loaded: there are no such weights.
    const deep = await refused([{ image: one() }, { image: file }], {
      preset: 'gatys2016',
      weights: 'nowhere',
    });
    expect(deep[1]).toBe('WRONG_STYLE');
    expect(deep[2]).toContain('style[1].image');
    expect(deep[2]).toContain('conv1_1, conv1_2, conv2_1, conv2_2, conv3_1');
    expect(deep[2]).toContain("relu1_1, relu2_1, relu3_1, relu4_1, relu5_1, of the preset 'gatys2016'");
    expect(deep[2]).not.toContain('undefined');
  });

  it('is refused where an image is needed: by a custom loss, and as the start', async () => {
    const extractor = tinyExtractor();
    const file = await makeStyle(one(), { extractor });
    const run = (options: object) => styleTransfer(content(), file, { extractor, iterations: 1, ...options });
    const conflict = { code: 'CONFLICTING_OPTIONS', option: 'style' };
    await expect(run({ loss: (targets: LossTargets) => presetLoss(preset, targets) })).rejects.toMatchObject(
      conflict,
    );
    await expect(run({ init: 'style' })).rejects.toMatchObject(conflict);
  });
});
