import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { InvalidArgumentError, type StyleTransferError } from '../../src/errors';
import { contentLoss, leaves, styleLoss } from '../../src/losses';
import { anyPlatform } from '../../src/platform';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import { makeStyle } from '../../src/transfer/make-style';
import { readSettings, type Settings } from '../../src/transfer/options';
import { presetLoss } from '../../src/transfer/preset-loss';
import { getPreset, type Preset, presetLayers, presetNames } from '../../src/transfer/presets';
import { scheduleOf } from '../../src/transfer/schedule';
import { styleTransfer } from '../../src/transfer/style-transfer';
import '../support/backends';
import { noise } from '../support/images';

const refusal = async (work: () => Promise<unknown>) =>
  work().then(
    () => expect.fail('should have been refused'),
    (error: StyleTransferError) => error,
  );

beforeAll(() => tf.setBackend('wasm'));

describe('presets', () => {
  it.each(presetNames)('%s has a positive weight for each style layer, and layers of VGG-19', (name) => {
    const preset = getPreset(name);
    const { layers, layerWeights = layers.map(() => 1) } = preset.style;
    expect(layerWeights).toHaveLength(layers.length);
    expect(Math.min(...layerWeights)).toBeGreaterThan(0);
    expect(new Set(presetLayers(preset)).size).toBe(presetLayers(preset).length);
  });

  it('make a loss of content, style and total variation with their weights', async () => {
    const extractor = tinyExtractor({ layers: ['relu5_1'] });
    const [content, style] = [noise(32, 40, 1), noise(48, 32, 2)];
    await expectNoLeak(() => {
      const loss = presetLoss(getPreset('crowsonkb'), { extractor, content, style });
      expect(leaves(loss).map(({ weight, loss: { name } }) => [name, weight])).toEqual([
        ['content', 0.015],
        ['style', 1],
        ['totalVariation', 2],
      ]);
      loss.dispose?.();
    });
    const loss = presetLoss(getPreset('neural-style'), { extractor, content, style }, { beta: 7 });
    expect(leaves(loss).map(({ weight, loss: { name } }) => [name, weight])).toEqual([
      ['content', 5],
      ['style', 7],
      // The published one is a sum over components.
      ['totalVariation', 9.87e-3 * 32 * 40 * 3],
    ]);
    loss.dispose?.();
    extractor.dispose();
  });

  it('give layers their weights', () => {
    const extractor = tinyExtractor();
    const [content, style] = [noise(16, 16, 1), noise(16, 16, 2)];
    const base = getPreset('li2021-baseline');
    const layers = ['conv1_1', 'conv2_1'] as const;
    for (const statistic of ['gram', 'mean-variance', 'wasserstein', 'histogram'] as const) {
      const preset: Preset = { ...base, style: { ...base.style, statistic, layers, layerWeights: [3, 0.5] } };
      const target = extractor.extract(style, layers);
      const features = extractor.extract(content, layers);
      const options = { statistic, layerWeights: [3, 0.5] };
      const expected = styleLoss(target, options).compute(features).dataSync()[0];
      const loss = presetLoss(preset, { extractor, content, style }, { alpha: 0, beta: 1 });
      const found = loss.compute({ ...features, ...extractor.extract(content, ['conv2_2']) });
      expect(found.dataSync()[0]).toBeCloseTo(expected, 5);
    }
    extractor.dispose();
  });

  it.each(['mean-variance', 'wasserstein', 'histogram'] as const)(
    'blend styles by %s: one style twice is that style, and another beside it is not',
    (statistic) => {
      const extractor = tinyExtractor({ layers: ['conv1_1'] });
      const base = getPreset('li2021-baseline');
      const preset: Preset = {
        ...base,
        content: { layers: ['conv1_1'], distance: 'mse' },
        style: { statistic, layers: ['conv1_1'], normalization: 'elements' },
      };
      const [content, style] = [noise(16, 16, 1), noise(16, 16, 2)];
      const features = extractor.extract(content, ['conv1_1']);
      const value = (styles: { image: tf.Tensor3D; weight: number }[]) =>
        presetLoss(preset, { extractor, content, style, styles }, { alpha: 0, beta: 1 })
          .compute(features)
          .dataSync()[0];
      const alone = value([{ image: style, weight: 1 }]);
      const twice = value([
        { image: style, weight: 3 },
        { image: style, weight: 1 },
      ]);
      expect(twice).toBeCloseTo(alone, 5);
      const other = value([
        { image: style, weight: 1 },
        { image: noise(24, 20, 3), weight: 1 },
      ]);
      expect(other).not.toBeCloseTo(alone, 5);
      extractor.dispose();
    },
  );

  it('crowsonkb paints at sizes from 128 on by factors of the root of 2, with Adam', () => {
    const settings: Settings = readSettings(anyPlatform, { preset: 'crowsonkb' }, undefined, undefined);
    const stages = scheduleOf(settings, { width: 512, height: 256 });
    expect(stages.map(({ width, height, iterations }) => [width, height, iterations])).toEqual([
      [128, 64, 200],
      [181, 91, 100],
      [256, 128, 100],
      [362, 181, 100],
      [512, 256, 100],
    ]);
    expect(settings.optimizer).toMatchObject({ name: 'adam', options: { learningRate: 0.02, beta2: 0.99 } });
    const small = scheduleOf(settings, { width: 100, height: 80 });
    expect(small).toHaveLength(1);
  });

  it('painting paints at half, at 0.7 and at all of the size, in at most 160 evaluations', async () => {
    const settings: Settings = readSettings(anyPlatform, { preset: 'painting' }, undefined, undefined);
    const stages = scheduleOf(settings, { width: 320, height: 240 });
    expect(stages.map(({ width, height }) => [width, height])).toEqual([
      [160, 120],
      [226, 170],
      [320, 240],
    ]);
    // Sizes of which deep layers would have few positions are left out.
    expect(scheduleOf(settings, { width: 120, height: 90 })).toHaveLength(1);
    expect(scheduleOf(settings, { width: 500, height: 50 })).toHaveLength(2);
    const extractor = tinyExtractor({ layers: ['relu5_1'] });
    using painted = await styleTransfer(noise(70, 200, 1), noise(48, 48, 2), {
      preset: 'painting',
      extractor,
    });
    expect(painted.history.at(-1)?.stage).toMatchObject({ index: 2, count: 3 });
    expect(painted.evaluations).toBeLessThanOrEqual(160);
    extractor.dispose();
  }, 60_000);

  it('painting compares relative to its targets, with a replicated border and little total variation', async () => {
    const preset = getPreset('painting');
    expect(preset.description).toContain("this library's own");
    const extractor = tinyExtractor({ layers: ['relu5_1'] });
    const [content, style] = [noise(48, 40, 1), noise(48, 48, 2)];
    const loss = presetLoss(preset, { extractor, content, style });
    const [ofContent, ofStyle] = leaves(loss);
    const layers = ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1'] as const;
    const features = extractor.extract(noise(48, 40, 3), [...layers, 'relu4_2']);
    const byHand = {
      content: contentLoss(extractor.extract(content, ['relu4_2']), { relative: true, floor: 160 }),
      style: styleLoss(extractor.extract(style, layers), { distance: 'relative-mse' }),
    };
    for (const { loss: found, weight } of [ofContent, ofStyle]) {
      const name = found.name as keyof typeof byHand;
      expect(weight).toBe(name === 'content' ? preset.alpha : preset.beta);
      const expected = byHand[name].compute(features).dataSync()[0];
      expect(found.compute(features).dataSync()[0]).toBeCloseTo(expected, 5);
      // As data, so that engines compute it with kernels and by tiles.
      expect(found.terms).toHaveLength(found.layers.length);
    }
    loss.dispose?.();
    extractor.dispose();
    const options = { preset: 'painting', weights: 'nowhere' } as const;
    expect(readSettings(anyPlatform, options, undefined, undefined)).toMatchObject({ padding: 'replicate' });
    expect(readSettings(anyPlatform, { ...options, padding: 'zero' }, undefined, undefined)).toMatchObject({
      padding: 'zero',
    });
  });

  it('relative is content + 1.2 style, both without unit: 1 where nothing is left, 1 a layer', () => {
    const preset = getPreset('relative');
    const extractor = tinyExtractor({ layers: ['relu4_1'] });
    const [content, style] = [noise(48, 40, 1), noise(48, 48, 2)];
    const loss = presetLoss(preset, { extractor, content, style });
    const [ofContent, ofStyle] = leaves(loss);
    expect([ofContent.weight, ofStyle.weight]).toEqual([1, 1.2]);
    expect(loss.layers).toEqual(['relu3_1', 'relu1_1', 'relu2_1', 'relu4_1']);
    const features = extractor.extract(content, loss.layers);
    // Of a map, its channels' means.
    const means = Object.fromEntries(
      loss.layers.map((layer) => {
        const map = features[layer] as tf.Tensor4D;
        return [layer, tf.add(tf.zerosLike(map), tf.mean(map, [1, 2], true))];
      }),
    );
    expect(ofContent.loss.compute(means).dataSync()[0]).toBeCloseTo(1, 4);
    const nothing = Object.fromEntries(
      loss.layers.map((layer) => [layer, tf.zerosLike(features[layer] as tf.Tensor4D)]),
    );
    expect(ofStyle.loss.compute(nothing).dataSync()[0]).toBeCloseTo(4, 4);
    loss.dispose?.();
    const floored = { ...preset, content: { ...preset.content, floor: 1e3 } };
    for (const tiles of [1, 3]) {
      const plan = { bytes: 0, maps: 0, targets: 0, tiles };
      const low = presetLoss(floored, { extractor, content, style, plan });
      const [{ loss: part }] = leaves(low);
      const map = features.relu3_1 as tf.Tensor4D;
      const square = tf.mean(tf.square(map)).dataSync()[0];
      expect(part.compute(nothing).dataSync()[0] / (square / 1e3)).toBeCloseTo(1, 4);
      low.dispose?.();
    }
    extractor.dispose();
  });

  it('painting has the same loss where tiles keep the content image in place of its features', () => {
    const extractor = tinyExtractor({ layers: ['relu5_1'] });
    const [content, style] = [noise(160, 24, 1), noise(48, 48, 2)];
    const features = extractor.extract(noise(160, 24, 3), extractor.layers);
    const [whole, tiled] = [1, 5].map((tiles) => {
      const plan = { bytes: 0, maps: 0, targets: 0, tiles };
      const loss = presetLoss(getPreset('painting'), { extractor, content, style, plan });
      const value = loss.compute(features).dataSync()[0];
      loss.dispose?.();
      return value;
    });
    expect(tiled / whole).toBeCloseTo(1, 5);
    extractor.dispose();
  });

  it('with another statistic refuse style files, and a style to be made, before any work', async () => {
    const extractor = tinyExtractor({ layers: ['relu5_1'] });
    const file = await makeStyle(noise(32, 32, 1), { extractor, preset: 'gatys2016' });
    const run = () => styleTransfer(noise(32, 32, 1), file, { extractor, preset: 'crowsonkb' });
    expect(await refusal(run)).toMatchObject({
      code: 'WRONG_STYLE',
      option: 'style',
      message: expect.stringContaining("the preset 'crowsonkb' compares another statistic, 'wasserstein'"),
    });
    const made = await refusal(() => makeStyle(noise(32, 32, 1), { extractor, preset: 'crowsonkb' }));
    expect(made).toBeInstanceOf(InvalidArgumentError);
    expect(made).toMatchObject({ code: 'WRONG_STYLE', option: 'preset', value: 'crowsonkb' });
    extractor.dispose();
  });

  it('with another statistic refuse images of which a layer has one position, before any work', async () => {
    const extractor = tinyExtractor({ layers: ['relu5_1'] });
    const events: string[] = [];
    const run = (content: tf.Tensor3D, style: tf.Tensor3D) =>
      refusal(() =>
        styleTransfer(content, style, {
          extractor,
          preset: 'crowsonkb',
          onProgress: ({ type }) => void events.push(type),
        }),
      );
    const image = expect.stringMatching(/at least 16 pixels one way and 32 the other/);
    expect(await run(noise(31, 31, 1), noise(32, 32, 2))).toMatchObject({
      code: 'TOO_SMALL',
      option: 'content',
      message: image,
    });
    expect(await run(noise(32, 32, 1), noise(31, 20, 2))).toMatchObject({
      code: 'TOO_SMALL',
      option: 'style',
      message: image,
    });
    expect(events).toEqual([]);
    extractor.dispose();
  });

  it('run with another statistic, and their settings repeat the run to the bit', async () => {
    const extractor = tinyExtractor({ layers: ['relu5_1'] });
    const options = { extractor, preset: 'crowsonkb', iterations: 4 } as const;
    const styles = [{ image: noise(40, 32, 2) }, { image: noise(32, 48, 3), weight: 2 }];
    using first = await styleTransfer(noise(40, 48, 1), styles, options);
    expect(first.settings.options).toMatchObject({
      preset: 'crowsonkb',
      alpha: 0.015,
      beta: 1,
      average: 0.99,
      optimizer: { name: 'adam', beta2: 0.99 },
    });
    expect(Object.keys(first.terms)).toEqual(['content', 'style', 'totalVariation']);
    expect(first.history.at(-1)?.loss).toBeLessThan(first.history[0].loss);
    using again = await styleTransfer(noise(40, 48, 1), styles, { extractor, settings: first.settings });
    expect(await again.image.data()).toEqual(await first.image.data());
    extractor.dispose();
  });
});
