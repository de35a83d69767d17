import type * as tf from '@tensorflow/tfjs-core';
import sharp, { type Sharp } from 'sharp';
import { encodeImage } from '../../src/node/index.ts';

/** Pixels between two pictures. */
const gap = 8;

/**
 * Images of one size in a row, or in rows of several.
 *
 * @param images they remain the caller's
 * @param columns pictures in a row; by default all
 */
export async function sideBySide(images: readonly tf.Tensor3D[], columns = images.length): Promise<Sharp> {
  const [height, width] = images[0].shape;
  const rows = Math.ceil(images.length / columns);
  const layers = images.map(async (image, i) => ({
    input: Buffer.from(await encodeImage(image, { format: 'png' })),
    left: (i % columns) * (width + gap),
    top: Math.floor(i / columns) * (height + gap),
  }));
  const sheet = sharp({
    create: {
      width: columns * (width + gap) - gap,
      height: rows * (height + gap) - gap,
      channels: 3,
      background: '#ffffff',
    },
  });
  // A pipeline of its own, so that the picture can be resized and encoded several times.
  return sharp(
    await sheet
      .composite(await Promise.all(layers))
      .png()
      .toBuffer(),
  );
}
