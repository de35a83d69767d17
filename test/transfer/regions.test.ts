import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { tinyExtractor } from '../../src/testing';
import { makeStyle } from '../../src/transfer/make-style';
import type { StyleTransferOptions } from '../../src/transfer/options';
import type { StyleTransferProgress } from '../../src/transfer/progress';
import type { Region } from '../../src/transfer/regions';
import { type StyleTransferResult, styleTransfer } from '../../src/transfer/style-transfer';
import '../support/backends';
import { noise } from '../support/images';

const [height, width] = [20, 28];
const content = () => noise(height, width, 1);
const style = () => noise(18, 18, 2);
const other = () => noise(16, 24, 3);
const half = (inside: (x: number) => boolean, h = height, w = width): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: h * w }, (_, i) => Number(inside(i % w))),
    [h, w],
  );
const left = () => half((x) => x < width / 2);
const right = () => half((x) => x >= width / 2);
type Mask = tf.Tensor3D;
const as = (mask: tf.Tensor2D) => mask as unknown as Mask;

async function paint(options: StyleTransferOptions): Promise<StyleTransferResult> {
  const extractor = tinyExtractor();
  try {
    return await styleTransfer(content(), style(), {
      preset: 'li2021-baseline',
      scales: 1,
      iterations: 3,
      extractor,
      ...options,
    });
  } finally {
    extractor.dispose();
  }
}

describe('regions', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('of one mask of ones change no bit of the picture', async () => {
    const ones = as(tf.ones<tf.Rank.R2>([10, 14]));
    const [plain, masked] = [await paint({}), await paint({ regions: [{ content: ones }] })];
    expect(masked.image.dataSync()).toEqual(plain.image.dataSync());
    const styled = await paint({ regions: [{ content: ones, style: as(tf.ones<tf.Rank.R2>([9, 9])) }] });
    expect(styled.image.dataSync()).toEqual(plain.image.dataSync());
    expect(Object.keys(masked.terms)).toEqual(Object.keys(plain.terms));
  });

  it('paint each part in its own style, of images, lists and files', async () => {
    const extractor = tinyExtractor();
    const file = await makeStyle(other(), { preset: 'li2021-baseline', extractor });
    const lists: readonly (Region['styleImage'] | undefined)[] = [
      undefined,
      other(),
      file,
      [{ image: other() }],
    ];
    const images: Float32Array[] = [];
    for (const styleImage of lists) {
      const { image } = await paint({
        extractor,
        regions: [{ content: as(left()) }, { content: as(right()), styleImage }],
      });
      images.push(image.dataSync<'float32'>());
    }
    expect(images[1]).not.toEqual(images[0]);
    for (const same of images.slice(2))
      for (const [i, value] of same.entries()) expect(value).toBeCloseTo(images[1][i], 4);
    extractor.dispose();
  });

  it('keep what a large content weight holds, and leave free what 0 does', async () => {
    const away = async (contentWeight: number) => {
      const { image } = await paint({
        iterations: 10,
        regions: [{ content: as(left()), contentWeight }, { content: as(right()) }],
      });
      const difference = tf.abs(tf.sub(image, content()));
      return tf.mean(tf.slice(difference, [0, 0, 0], [height, width / 2 - 4, 3])).dataSync()[0];
    };
    const [free, plain, kept] = [await away(0), await away(1), await away(1e6)];
    expect(kept).toBeLessThan(0.8 * plain);
    expect(free).toBeGreaterThanOrEqual(0.9 * plain);
  });

  it('warn of what they leave out and of what they share, with the part of the picture', async () => {
    const warnings = async (regions: readonly Region[]) => {
      const events: StyleTransferProgress[] = [];
      await paint({ regions, onProgress: (event) => void events.push(event) });
      return events.flatMap((event) => (event.type === 'warning' ? [[event.code, event.message]] : []));
    };
    expect(await warnings([{ content: as(left()) }, { content: as(right()) }])).toEqual([]);
    expect(await warnings([{ content: as(left()) }])).toEqual([
      ['REGIONS_UNCOVERED', expect.stringContaining('50 % of the picture')],
    ]);
    const all = as(tf.ones<tf.Rank.R2>([height, width]));
    expect(await warnings([{ content: all }, { content: as(left()) }])).toEqual([
      ['REGIONS_OVERLAP', expect.stringContaining('50 % of the picture')],
    ]);
  });

  it('take masks by luminance, and by alpha where a picture is transparent', async () => {
    const grey = { data: new Uint8Array(280).fill(255), width: 20, height: 14, channels: 1 } as const;
    const alpha = {
      data: Uint8Array.from({ length: 4 * 280 }, (_, i) => (i % 4 < 3 ? 0 : i % 80 < 40 ? 255 : 0)),
      width: 20,
      height: 14,
    };
    const [white, plain] = [await paint({ regions: [{ content: grey }] }), await paint({})];
    expect(white.image.dataSync()).toEqual(plain.image.dataSync());
    const events: StyleTransferProgress[] = [];
    await paint({ regions: [{ content: alpha }], onProgress: (event) => void events.push(event) });
    expect(events[0]).toMatchObject({ code: 'REGIONS_UNCOVERED' });
  });

  it('are in the record by hashes, and needed again to repeat a run', async () => {
    const regions = [
      { content: as(left()), weight: 2 },
      { content: as(right()), styleImage: other() },
    ];
    const { settings, image } = await paint({ regions });
    expect(settings.unrecorded).toContain('regions');
    expect(settings.regions).toMatchObject([
      { content: { of: 'pixels', width, height }, weight: 2, contentWeight: 1, styles: [{ width: 18 }] },
      { styles: [{ width: 24, height: 16 }] },
    ]);
    await expect(paint({ settings })).rejects.toMatchObject({ code: 'NOT_REPLAYABLE' });
    const events: StyleTransferProgress[] = [];
    const again = await paint({ settings, regions, onProgress: (event) => void events.push(event) });
    expect(again.image.dataSync()).toEqual(image.dataSync());
    const swapped = [
      { ...regions[0], content: as(right()) },
      { ...regions[1], content: as(left()) },
    ];
    await paint({ settings, regions: swapped, onProgress: (event) => void events.push(event) });
    expect(events).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('regions are others') }),
    );
  });

  it('are refused before any work where they cannot be used, with what is accepted', async () => {
    const ones = as(tf.ones<tf.Rank.R2>([height, width]));
    const extractor = tinyExtractor();
    const file = await makeStyle(other(), { preset: 'li2021-baseline', extractor });
    extractor.dispose();
    const refused: readonly (readonly [unknown, Record<string, unknown>])[] = [
      [[], { code: 'EMPTY', option: 'regions' }],
      [{}, { code: 'WRONG_TYPE', option: 'regions' }],
      [[{}], { code: 'MISSING', option: 'regions[0]' }],
      [[{ content: ones, wieght: 1 }], { message: expect.stringContaining("did you mean 'weight'") }],
      [[{ content: ones, weight: -1 }], { option: 'regions[0].weight' }],
      [[{ content: ones, contentWeight: NaN }], { option: 'regions[0].contentWeight' }],
      [[{ content: ones, weight: 0 }], { code: 'OUT_OF_RANGE', option: 'regions' }],
      [[{ content: tf.ones([20, 20]) }], { code: 'WRONG_SIZE', message: expect.stringContaining('28 x 20') }],
      [[{ content: tf.zeros([20, 28]) }], { code: 'OUT_OF_RANGE', option: 'regions[0].content' }],
      [[{ content: tf.fill([20, 28], 2) }], { code: 'OUT_OF_RANGE' }],
      [[{ content: 7 }], { code: 'NOT_AN_IMAGE', option: 'regions[0].content' }],
      [[{ content: ones, style: tf.ones([20, 28]) }], { code: 'WRONG_SIZE', option: 'regions[0].style' }],
      [[{ content: ones, style: tf.zeros([9, 9]) }], { code: 'OUT_OF_RANGE', option: 'regions[0].style' }],
      [[{ content: ones, styleImage: [] }], { code: 'EMPTY', option: 'regions[0].styleImage' }],
      [[{ content: ones, styleImage: file, style: ones }], { code: 'CONFLICTING_OPTIONS' }],
    ];
    for (const [regions, error] of refused)
      await expect(paint({ regions: regions as never }), JSON.stringify(error)).rejects.toMatchObject(error);
  });

  it.each(['painting', 'crowsonkb'] as const)(
    'of %s paint in two styles, one of them by a part of its image, with a balance too',
    async (preset) => {
      const extractor = tinyExtractor({ layers: ['relu5_1'] });
      const [rows, columns] = [32, 48];
      const side = (inside: (x: number) => boolean) => as(half(inside, rows, columns));
      const paintWith = async (options: StyleTransferOptions) => {
        using painted = await styleTransfer(noise(rows, columns, 1), noise(32, 32, 2), {
          preset,
          extractor,
          scales: [
            { size: 32, iterations: 2 },
            { size: 48, iterations: 2 },
          ],
          ...options,
        });
        expect(painted.history.at(-1)?.stage).toMatchObject({ index: 1, count: 2 });
        return painted.image.dataSync<'float32'>().slice();
      };
      const ones = { content: as(tf.ones<tf.Rank.R2>([rows, columns])) };
      const regions: readonly Region[] = [
        { content: side((x) => x < 24), style: as(half((x) => x < 16, 32, 32)) },
        { content: side((x) => x >= 24), styleImage: noise(32, 40, 3) },
      ];
      for (const balance of ['none', 'initial'] as const) {
        const plain = await paintWith({ balance });
        expect(await paintWith({ balance, regions: [ones] })).toEqual(plain);
        const inRegions = await paintWith({ balance, regions });
        expect(inRegions.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(inRegions).not.toEqual(plain);
        const other = { ...regions[1], styleImage: style() };
        expect(await paintWith({ balance, regions: [regions[0], other] })).not.toEqual(inRegions);
      }
      extractor.dispose();
    },
    120_000,
  );
});
