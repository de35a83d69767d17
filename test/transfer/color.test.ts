import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { transferColor } from '../../src/color';
import type { Image } from '../../src/image/image';
import { pixelLoss } from '../../src/losses';
import { adam } from '../../src/optim';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import type { ColorChoice } from '../../src/transfer/color';
import { makeStyle } from '../../src/transfer/make-style';
import type { LossTargets } from '../../src/transfer/preset-loss';
import type { StyleTransferProgress } from '../../src/transfer/progress';
import { styleTransfer } from '../../src/transfer/style-transfer';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import { noisePixels } from '../support/pixels';

const content = () => noise(20, 28, 1);
const style = () => noise(18, 18, 2);

/** Chroma of CIE Lab cannot be read here: of the linear colours, the part that is not grey, as a direction. */
const chromaOf = (values: Float32Array, at: number): readonly number[] => {
  const light = [...values.slice(at, at + 3)].map((v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4,
  );
  const grey = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  return light.map((v) => v - grey);
};

/** The targets that a loss function gets. */
async function targetsOf(color: ColorChoice): Promise<{ content: Image; style: Image }> {
  const kept: { content?: Image; style?: Image } = {};
  const loss = ({ content, style }: LossTargets) => {
    kept.content = tf.clone(content);
    kept.style = tf.clone(style);
    return pixelLoss(content);
  };
  const { dispose } = await styleTransfer(content(), style(), {
    extractor: tinyExtractor(),
    loss,
    color,
    iterations: 1,
  });
  dispose();
  return kept as { content: Image; style: Image };
}

describe('the option color', () => {
  onEachBackend((backend) => {
    it.each(['mean', 'covariance', 'histogram'] as const)(
      '%s recolours the style by the content',
      async (color) => {
        const { content: c, style: s } = await targetsOf(color);
        expect(await c.data()).toEqual(await content().data());
        const wanted = await transferColor(style(), content(), { method: color });
        expect(await s.data()).toEqual(await wanted.data());
      },
    );

    it('content gives the loss grey images, the style with mean and deviation of the content', async () => {
      const { content: c, style: s } = await targetsOf('content');
      for (const image of [c, s]) {
        const [red, green, blue] = tf.unstack(image, 2);
        expect(await green.data()).toEqual(await red.data());
        expect(await blue.data()).toEqual(await red.data());
      }
      const [own, wanted] = [tf.moments(s), tf.moments(c)];
      expect((await own.mean.data())[0]).toBeCloseTo((await wanted.mean.data())[0], 3);
      expect((await own.variance.data())[0]).toBeCloseTo((await wanted.variance.data())[0], 3);
    });

    it.each([
      ['from the content', {}],
      ['from noise', { init: 'noise' }],
      ['from the style', { init: 'style' }],
      ['from a coloured image', { init: noisePixels(9, 9, 7) }],
      ['in two stages', { scales: [{ size: 16 }, { size: 28 }] }],
      ['by Adam', { optimizer: adam() }],
    ] as const)(
      'content keeps the hue of the content, lowers the loss and leaves nothing else, %s',
      async (_, options) => {
        const [extractor, c, s] = [tinyExtractor({ seed: 1 }), content(), style()];
        const image = await expectNoLeak(async () => {
          const { image, history, loss } = await styleTransfer(c, s, 1, 1e3, {
            extractor,
            color: 'content',
            iterations: 6,
            ...options,
          });
          expect(loss).toBeLessThan(history[0].loss);
          return image;
        });
        const [painted, wanted] = [await image.data<'float32'>(), await c.data<'float32'>()];
        for (let i = 0; i < painted.length; i += 3 * 17) {
          const [a, b] = [chromaOf(painted, i), chromaOf(wanted, i)];
          const dot = a.reduce((sum, value, k) => sum + value * b[k], 0);
          const [na, nb] = [Math.hypot(...a), Math.hypot(...b)];
          // Black and white pixels have no hue; where luminance changes, that of Lab turns a little.
          if (na > 0.02 && nb > 0.02) expect(dot / na / nb).toBeGreaterThan(0.8);
        }
        image.dispose();
      },
    );

    it('content hands out colours in previews and when interrupted', async () => {
      const [extractor, c, s] = [tinyExtractor({ seed: 1 }), content(), style()];
      const images: Image[] = [];
      const run = styleTransfer(c, s, 1, 1e3, {
        extractor,
        color: 'content',
        onProgress: (event: StyleTransferProgress) => {
          if (event.type === 'step' || event.type === 'interrupted') images.push(event.image());
          if (event.type === 'step' && event.iteration === 2) throw new Error('enough');
        },
      });
      await expect(run).rejects.toThrow('enough');
      expect(images).toHaveLength(4);
      // The start in grey is the content's own grey, so that the first preview is the content.
      const [first, wanted] = [await images[0].data(), await c.data()];
      for (let i = 0; i < first.length; i++) expect(Math.abs(first[i] - wanted[i])).toBeLessThan(2e-4);
      const colored = await tf
        .moments(tf.sub(...(tf.unstack(images[3], 2) as [tf.Tensor, tf.Tensor])))
        .variance.data();
      expect(colored[0]).toBeGreaterThan(1e-3);
      expect(backend).toBe(tf.getBackend());
    });
  });

  it('is refused beside a loss that has targets, and of another name, before any work', async () => {
    await tf.setBackend('cpu');
    const loss = pixelLoss(content());
    for (const color of ['content', 'mean'] as const)
      await expect(styleTransfer(content(), style(), { loss, color })).rejects.toMatchObject({
        code: 'CONFLICTING_OPTIONS',
        option: 'color',
      });
    await expect(
      styleTransfer(content(), style(), { color: 'covarianc' as 'covariance' }),
    ).rejects.toMatchObject({ code: 'UNKNOWN_NAME', option: 'color' });
  });

  it('takes a style file for grey as it is, and is refused where the file would need new colours', async () => {
    await tf.setBackend('cpu');
    const extractor = tinyExtractor();
    const file = await makeStyle(style(), { extractor });
    const entries = [{ image: style() }, { image: file }];
    for (const color of ['mean', 'covariance', 'histogram'] as const)
      await expect(styleTransfer(content(), entries, { extractor, color })).rejects.toMatchObject({
        code: 'CONFLICTING_OPTIONS',
        option: 'style[1].image',
        message: expect.stringContaining(`color: '${color}'`),
      });
    const { image } = await styleTransfer(content(), entries, { extractor, color: 'content', iterations: 1 });
    expect(image.shape).toEqual([20, 28, 3]);
  });
});
