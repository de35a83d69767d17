import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandExtents, bandsOf, rowsOfBands, strideOf } from '../../../src/engines/shared/bands';
import type { LayerName } from '../../../src/features/layer-name';
import { isPool } from '../../../src/features/network';
import { vgg19Layers } from '../../../src/features/vgg19/layers';
import { vgg19Network } from '../../../src/features/vgg19/network';

const { steps } = vgg19Network({ lastLayer: 'relu5_1' });
const names: readonly LayerName[] = ['image', ...steps.map(({ name }) => name)];

/** Feature maps, by layer, of an image one pixel wide: a convolution sums three rows with weights of its own. */
function columns(image: readonly number[]): Map<LayerName, readonly number[]> {
  const maps = new Map<LayerName, readonly number[]>([['image', image]]);
  let map = image;
  for (const [i, step] of steps.entries()) {
    const before = map;
    const at = (y: number) => before[y] ?? 0;
    if (step.op === 'conv') map = before.map((x, y) => x + (i + 2) * at(y - 1) - (i + 3) * at(y + 1));
    else if (isPool(step))
      map = Array.from({ length: before.length >> 1 }, (_, y) => Math.max(at(2 * y), at(2 * y + 1)));
    else map = before.map((x) => Math.max(0, x));
    // Values stay integers, and small, so that sums are exact.
    map = map.map((x) => x % 1000);
    maps.set(step.name, map);
  }
  return maps;
}

const cut = fc.record({
  height: fc.integer({ min: 16, max: 300 }),
  rows: fc.integer({ min: 1, max: 320 }),
  layers: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }),
});

describe('bandsOf', () => {
  it('gives each band of conv3_1 its rows, and above and below those that they depend on', () => {
    // One row of conv3_1 reaches 1 row of pool2 on either side, 4 pixels. The two convolutions behind pool1 reach 2
    // rows of it, 4 pixels, and those of the image 2 pixels: 10 pixels in all. The first row is rounded down to
    // the stride of 4.
    const bands = bandsOf(steps, ['conv1_2', 'conv3_1'], 100, 31);
    expect(bands.map(({ rows }) => rows)).toEqual([
      { from: 0, to: 42 },
      { from: 20, to: 74 },
      { from: 52, to: 100 },
      { from: 84, to: 100 },
    ]);
    expect(bands.map(({ owned }) => owned('conv3_1'))).toEqual([
      { from: 0, to: 8 },
      { from: 3, to: 11 },
      { from: 3, to: 11 },
      { from: 3, to: 4 },
    ]);
    expect(bands[1].owned('conv1_2')).toEqual({ from: 12, to: 44 });
    expect(bands[1].owned('pool1')).toEqual({ from: 6, to: 22 });
    expect(bands[1].first('conv3_1')).toBe(5);
    expect(bands[1].first('image')).toBe(20);
  });

  it('gives conv5_1 a halo of 70 pixels', () => {
    // 16 for conv5_1, 4 * 8 for conv4_1 to conv4_4, 4 * 4, 2 * 2, 2 * 1.
    const bands = bandsOf(steps, ['conv5_1'], 480, 160);
    expect(bands.map(({ rows }) => rows)).toEqual([
      { from: 0, to: 230 },
      { from: 80, to: 390 },
      { from: 240, to: 480 },
    ]);
  });

  it('leaves a last band that is lower than the stride without rows of the deepest layer', () => {
    // 33 pixels have 33 >> 4 = 2 rows of conv5_1.
    const bands = bandsOf(steps, ['conv1_1', 'conv5_1'], 33, 16);
    expect(bands.map(({ owned }) => owned('conv5_1'))).toEqual([
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 1, to: 1 },
    ]);
    expect(bands[2].rows).toEqual({ from: 16, to: 33 });
    expect(bands[2].owned('conv1_1')).toEqual({ from: 16, to: 17 });
  });

  it('gives the image itself one row more on either side', () => {
    expect(bandsOf(steps, ['image'], 10, 4).map(({ rows }) => rows)).toEqual([
      { from: 0, to: 5 },
      { from: 3, to: 9 },
      { from: 7, to: 10 },
    ]);
  });

  it('is one band where its rows are as many as those of the image', () => {
    const [band, ...others] = bandsOf(steps, vgg19Layers.slice(0, 9), 37, 37);
    expect(others).toEqual([]);
    expect(band.rows).toEqual({ from: 0, to: 37 });
    expect(band.owned('conv2_1')).toEqual({ from: 0, to: 18 });
  });

  it('shares every row of every layer out, each to one band', () => {
    fc.assert(
      fc.property(cut, ({ height, rows, layers }) => {
        const bands = bandsOf(steps, layers, height, rows);
        const stride = strideOf(steps, layers);
        for (const layer of layers) {
          const owned = bands.map((band) => {
            const { from, to } = band.owned(layer);
            return { from: band.first(layer) + from, to: band.first(layer) + to };
          });
          expect(owned[0].from).toBe(0);
          for (const [k, { from, to }] of owned.entries()) {
            expect(from).toBeLessThanOrEqual(to);
            if (k > 0) expect(from).toBe(owned[k - 1].to);
          }
          expect(owned.at(-1)?.to).toBe(columns(new Array(height).fill(0)).get(layer)?.length);
        }
        for (const band of bands) expect(band.rows.from % stride).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('has a number of bands and a highest one that are known without them', () => {
    fc.assert(
      fc.property(cut, ({ height, rows, layers }) => {
        const bands = bandsOf(steps, layers, height, rows);
        expect(bandExtents(steps, layers, height, rows)).toEqual({
          count: bands.length,
          highest: Math.max(...bands.map((band) => band.rows.to - band.rows.from)),
        });
      }),
    );
  });

  it('comes in as many numbers of bands as there are, each with the least rows', () => {
    // Of 25 strides, 10 bands would own 3 each, as 9 do.
    const all = [...rowsOfBands(steps, ['conv3_1'], 100)];
    expect(all).toEqual([100, 52, 36, 28, 20, 16, 12, 8, 4]);
    expect(all.map((rows) => bandsOf(steps, ['conv3_1'], 100, rows).length)).toEqual([
      1, 2, 3, 4, 5, 7, 9, 13, 25,
    ]);
  });

  it('makes the owned rows of a band those of the whole image', () => {
    fc.assert(
      fc.property(cut, fc.integer(), ({ height, rows, layers }, seed) => {
        const image = Array.from({ length: height }, (_, y) => Math.imul(y + seed, 2654435761) % 100);
        const whole = columns(image);
        for (const band of bandsOf(steps, layers, height, rows)) {
          const own = columns(image.slice(band.rows.from, band.rows.to));
          for (const layer of layers) {
            const { from, to } = band.owned(layer);
            const first = band.first(layer);
            expect(own.get(layer)?.slice(from, to)).toEqual(
              whole.get(layer)?.slice(first + from, first + to),
            );
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
