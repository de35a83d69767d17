import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Sharp } from 'sharp';
import { loadProgram } from '../../src/engines/load-program.ts';
import { readImage, styleTransfer, trainGenerator } from '../../src/node/index.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Width and height of each picture in pixels. */
const [width, height] = [320, 240];

/**
 * Two pictures that nothing was trained on: as they are, painted at once by a generator of 400 steps, and by 50
 * iterations of an optimisation of the same loss.
 */
export async function train(): Promise<Sharp> {
  const style = `${images}/style.jpg`;
  // Minutes of work, which an interrupted run need not repeat.
  const checkpoint = resolve(import.meta.dirname, '../../build/guide-pictures.training');
  const generator = await trainGenerator({ style, steps: 400, checkpoint });
  const program = await loadProgram(generator, {});
  const row: tf.Tensor3D[] = [];
  for (const name of ['content.jpg', 'content-still-life.jpg']) {
    const whole = await readImage(`${images}/${name}`, { size: width });
    const content = tf.slice3d(whole, [(whole.shape[0] - height) >> 1, 0, 0], [height, width, 3]);
    const optimised = await styleTransfer(content, style, { preset: 'relative', styleSize: 256 });
    row.push(content, await program.run(content), optimised.image);
  }
  return (await sideBySide(row, 3)).resize(960);
}
