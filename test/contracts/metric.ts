import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageInput } from '../../src/image/to-image';
import { expectNoLeak } from '../../src/testing';
import { backends, onEachBackend } from '../support/backends';
import { anyPixels, constantPixels, noisePixels } from '../support/pixels';
import { measurePrecision, precisionFactor } from '../support/precision';

/** The expected properties of a metric. */
export interface MetricContract {
  readonly name: string;
  /** May be handed options, of which it accepts none but its own. */
  readonly compute: (a: ImageInput, b: ImageInput, options?: Record<string, unknown>) => Promise<number>;
  /** Of equal images; undefined where it depends on the image. */
  readonly identity: number | undefined;
  readonly range: readonly [least: number, greatest: number];
  /** The shorter side of the smallest image that it takes. @default 1 */
  readonly smallest?: number;
  /** Images of two sizes can be compared. @default false */
  readonly anySize?: boolean;
  /** Greatest difference between backends of float32 and between the two orders. @default 1e-5 */
  readonly tolerance?: number;
}

/** The suite that every metric passes, on every backend. */
export function describeMetric(contract: MetricContract): void {
  const { name, compute, identity, range, smallest = 1, anySize = false, tolerance = 1e-5 } = contract;
  const near = (value: number, expected: number) =>
    value === expected ||
    Math.abs(value - expected) <= tolerance * precisionFactor() * Math.max(1, Math.abs(expected));

  describe(name, () => {
    onEachBackend(() => {
      it('is at its best for equal images, constant ones too', async () => {
        for (const image of [noisePixels(26, 24, 1), constantPixels(24, 26, 90), constantPixels(24, 24, 0)]) {
          const value = await compute(image, image);
          expect(near(value, identity ?? value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(range[0]);
        }
      });

      it('is the same in both directions and stays in its range', async () => {
        const side = Math.max(smallest, 8);
        await fc.assert(
          fc.asyncProperty(anyPixels(side, side + 1), anyPixels(side, side + 1), async (a, b) => {
            const [forward, backward] = [await compute(a, b), await compute(b, a)];
            expect(near(forward, backward)).toBe(true);
            expect(forward).toBeGreaterThanOrEqual(range[0]);
            expect(forward).toBeLessThanOrEqual(range[1]);
          }),
          { numRuns: 15, seed: 1 },
        );
      });

      it('is a finite number for two different constant images', async () => {
        const value = await compute(constantPixels(24, 24, 0), constantPixels(24, 24, 200));
        expect(Number.isFinite(value)).toBe(true);
      });

      it('takes its smallest image, and nothing smaller', async () => {
        const image = noisePixels(smallest, smallest, 3);
        expect(Number.isNaN(await compute(image, image))).toBe(false);
        if (smallest === 1) return;
        const small = noisePixels(smallest - 1, 40, 3);
        await expect(compute(small, small)).rejects.toMatchObject({ name: 'ImageError', code: 'TOO_SMALL' });
        const pixel = noisePixels(1, 1, 3);
        await expect(compute(pixel, pixel)).rejects.toMatchObject({ name: 'ImageError', code: 'TOO_SMALL' });
      });

      it(anySize ? 'takes images of two sizes' : 'refuses images of two sizes, naming both', async () => {
        const result = compute(noisePixels(24, 30, 1), noisePixels(30, 24, 1));
        if (anySize) return expect(await result).toBeGreaterThanOrEqual(range[0]);
        await expect(result).rejects.toMatchObject({ name: 'ImageError', code: 'DIFFERENT_SIZES' });
        await expect(result).rejects.toThrow(/24x30.*30x24/);
      });

      it('refuses what is no image and pixels that are not finite', async () => {
        const image = noisePixels(24, 24, 1);
        await expect(compute(image, 'picture.png' as unknown as ImageInput)).rejects.toMatchObject({
          name: 'ImageError',
        });
        for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const data = new Float32Array(24 * 24 * 3).fill(0.5);
          data[300] = wrong;
          const broken: ImageInput = { data, width: 24, height: 24, channels: 3 };
          await expect(compute(broken, image)).rejects.toMatchObject({
            name: 'ImageError',
            code: 'NOT_FINITE',
          });
          await expect(compute(image, broken)).rejects.toMatchObject({
            name: 'ImageError',
            code: 'NOT_FINITE',
          });
        }
      });

      it('refuses an option that it does not have', async () => {
        const image = noisePixels(24, 24, 1);
        await expect(compute(image, image, { colour: 'red' })).rejects.toMatchObject({
          code: 'UNKNOWN_OPTION',
          option: 'colour',
        });
      });

      it('leaves no tensor behind and keeps those it was handed, whether it succeeds or fails', async () => {
        const tensor = tf.tensor3d(
          Float32Array.from(noisePixels(24, 24, 5).data, (v) => v / 255),
          [24, 24, 3],
        );
        const other = noisePixels(24, 24, 6);
        await expectNoLeak(() => compute(tensor, other));
        await expectNoLeak(async () => {
          await compute(tensor, { ...other, width: 3 }).catch(() => undefined);
          await compute(tensor, noisePixels(24, 25, 6)).catch(() => undefined);
          await compute(tensor, other, { colour: 'red' }).catch(() => undefined);
        });
        expect(tensor.isDisposed).toBe(false);
        tensor.dispose();
      });
    });

    it(`is the same on ${backends.join(', ')}`, async () => {
      const [a, b] = [noisePixels(40, 31, 7), noisePixels(40, 31, 8)];
      await tf.setBackend('cpu');
      const expected = await compute(a, b);
      for (const backend of backends) {
        await tf.setBackend(backend);
        await measurePrecision();
        expect(near(await compute(a, b), expected), backend).toBe(true);
      }
    });
  });
}
