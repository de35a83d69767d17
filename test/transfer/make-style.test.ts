import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Vgg19Layer } from '../../src/features';
import { encodeStyle, type StyleFile } from '../../src/styles';
import { decodeStyle } from '../../src/styles/decode-style';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import { makeStyle, type StyleInputs } from '../../src/transfer/make-style';
import { getPreset } from '../../src/transfer/presets';
import { styleTransfer } from '../../src/transfer/style-transfer';
import '../support/backends';
import { noise } from '../support/images';

const image = () => noise(18, 24, 1);
const [li, gatys] = [getPreset('li2021'), getPreset('gatys2016')];
const deep = () => tinyExtractor({ layers: ['relu5_1'] });
const gramsOf = ({ tensors }: StyleFile) =>
  Object.fromEntries(Array.from(tensors, ([name, { values }]) => [name, [...values]]));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('makeStyle', () => {
  it('with the layers of several presets fits each of them', async () => {
    const extractor = deep();
    // In any order: the file has them in the order of computation.
    const layers: Vgg19Layer[] = [...gatys.style.layers, ...li.style.layers];
    const style = await makeStyle(image(), { extractor, layers });
    expect(style.layers).toEqual(extractor.layers.filter((layer) => layers.includes(layer as Vgg19Layer)));
    const content = noise(32, 32, 2);
    for (const preset of ['li2021', 'gatys2016'] as const) {
      const run = async (by: tf.Tensor3D | StyleFile) =>
        (await styleTransfer(content, by, { extractor, preset, iterations: 1 })).image.data();
      expect(await run(style)).toEqual(await run(image()));
    }
    // The same weights up to the layers that are needed, of a network that ends there.
    const shallow = tinyExtractor();
    (await styleTransfer(content, style, { extractor: shallow, iterations: 1 })).dispose();
  });

  it('of style files takes their layers, else those that are asked for', async () => {
    const extractor = deep();
    const all = await makeStyle(image(), { extractor, preset: 'gatys2016' });
    expect((await makeStyle([{ image: all }, { image: all }])).layers).toEqual(gatys.style.layers);
    const some = await makeStyle(all, { layers: ['relu2_1', 'relu1_1'] });
    expect(some.layers).toEqual(['relu1_1', 'relu2_1']);
    expect(gramsOf(some)['gram.relu2_1']).toEqual(gramsOf(all)['gram.relu2_1']);
    await expect(makeStyle([{ image: some }, { image: all }])).resolves.toMatchObject({ images: 2 });
    await expect(makeStyle([{ image: all }, { image: some }])).rejects.toMatchObject({ code: 'WRONG_STYLE' });
  });

  it('is made for a padding, which its file states and takes images with', async () => {
    const making = { weights: 'embedded', engine: 'tfjs', padding: 'replicate' } as const;
    const style = decodeStyle('style', 'a file', encodeStyle(await makeStyle(image(), making)));
    expect(style.padding).toBe('replicate');
    const [content, options] = [noise(20, 20, 2), { ...making, iterations: 1 }];
    const run = async (by: tf.Tensor3D | StyleFile) =>
      (await styleTransfer(content, by, options)).image.data();
    expect(await run(style)).toEqual(await run(image()));
    expect(await run(style)).not.toEqual(
      await (await styleTransfer(content, image(), { ...options, padding: 'zero' })).image.data(),
    );
    const { padding: _, ...byDefault } = making;
    const entries = [{ image: style }, { image: image() }];
    expect(gramsOf(await makeStyle(entries, byDefault))).toEqual(gramsOf(style));
    for (const styles of [style, entries])
      await expect(makeStyle(styles, { ...making, padding: 'zero' })).rejects.toMatchObject({
        code: 'WRONG_STYLE',
        message: expect.stringContaining('padding replicate; accepted: padding zero, of the options'),
      });
    await expect(styleTransfer(content, style, { ...byDefault, iterations: 1 })).rejects.toMatchObject({
      code: 'WRONG_STYLE',
      message: expect.stringContaining('padding replicate; accepted: padding zero, of this run'),
    });
  });

  it('refuses a file of another network than an image’s, whichever comes first', async () => {
    const file = await makeStyle(image(), { extractor: tinyExtractor({ seed: 1 }) });
    const extractor = tinyExtractor({ seed: 2 });
    const [first, second] = [{ image: file }, { image: image() }];
    await expect(makeStyle([first, second], { extractor })).rejects.toMatchObject({
      code: 'WRONG_STYLE',
      option: 'style[0].image',
    });
    await expect(makeStyle([second, first], { extractor })).rejects.toMatchObject({
      code: 'WRONG_STYLE',
      option: 'style[1].image',
    });
  });

  it('names the entry of a stream that is wrong, and refuses streams without a style', async () => {
    const extractor = tinyExtractor();
    const refused = (styles: StyleInputs) =>
      makeStyle(styles, { extractor }).then(
        () => undefined,
        ({ code, option }) => [code, option],
      );
    const stream = (...entries: object[]) => new Set(entries) as unknown as StyleInputs;
    expect(await refused(stream())).toEqual(['EMPTY', 'style']);
    expect(await refused(stream({ image: image(), weight: 0 }))).toEqual(['OUT_OF_RANGE', 'style']);
    expect(await refused(stream({ image: image() }, { image: image(), weight: -1 }))).toEqual([
      'OUT_OF_RANGE',
      'style[1].weight',
    ]);
    expect(await refused(stream({ image: image() }, { picture: image() }))).toEqual(['MISSING', 'style[1]']);
  });

  it('ends with the reason of its signal, an error of its listener or of the stream, and leaves nothing', async () => {
    const [extractor, picture] = [tinyExtractor(), image()];
    const controller = new AbortController();
    async function* many() {
      for (let i = 0; i < 3; i++) yield { image: picture };
      controller.abort(new Error('enough'));
      yield { image: picture };
    }
    const failing = () => {
      throw new Error('listener');
    };
    async function* broken() {
      yield { image: picture };
      throw new Error('stream');
    }
    await expectNoLeak(async () => {
      await expect(makeStyle(many(), { extractor, signal: controller.signal })).rejects.toThrow('enough');
      await expect(makeStyle(picture, { extractor, onProgress: failing })).rejects.toThrow('listener');
      await expect(makeStyle(broken(), { extractor })).rejects.toThrow('stream');
    });
  });

  it('has the size that images were resized to', async () => {
    const extractor = tinyExtractor();
    const sizes = [{ image: image() }, { image: noise(30, 16, 2) }];
    expect((await makeStyle(sizes, { extractor })).longerSide).toEqual([24, 30]);
    expect((await makeStyle(sizes, { extractor, size: 20 })).longerSide).toEqual([20, 20]);
  });
});
