import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Sharp } from 'sharp';
import { convertGenerator, type Generator, type StylizeOptions } from '../../src/generators/index.ts';
import type { NodeImageInput } from '../../src/node/image-input.ts';
import { readImage, stylize } from '../../src/node/index.ts';
import { shared } from '../../test/support/shared.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Width and height of each picture in pixels. */
const [width, height] = [320, 240];

/**
 * Two pictures of this repository by two networks of other people, which are not part of it: by the one for any style
 * as two of its paintings, and by the one of 26 styles in two of them and a blend.
 */
export async function otherNetworks(): Promise<Sharp> {
  const bytes = (file: string) => readFile(networkFile(file));
  const any = await convertGenerator(await bytes('magenta-arbitrary/arbitrary_transform.onnx'), {
    predictor: await bytes('magenta-arbitrary/arbitrary_predict.onnx'),
  });
  const many = await convertGenerator(await bytes('multistyle26/multistyle26.onnx'));
  const [scene, still] = [await content('content.jpg'), await content('content-still-life.jpg')];
  const weights = (...chosen: readonly number[]) =>
    Array.from({ length: many.vectorLength }, (_, i) => (chosen.includes(i) ? 1 : 0));
  const painted = async (photo: tf.Tensor3D, generator: Generator, options: StylizeOptions<NodeImageInput>) =>
    (await stylize(photo, generator, options)).image;
  return (
    await sideBySide(
      [
        scene,
        await painted(scene, any, { style: `${images}/style.jpg` }),
        await painted(scene, any, { style: `${images}/style-garden.jpg` }),
        await painted(still, many, { styleWeights: weights(first) }),
        await painted(still, many, { styleWeights: weights(first, second) }),
        await painted(still, many, { styleWeights: weights(second) }),
      ],
      3,
    )
  ).resize(960);
}

/** Two styles of the 26. */
const [first, second] = [3, 17];

function networkFile(name: string): string {
  const file = shared(`generators/${name}`);
  if (!existsSync(file))
    throw new Error(`There is no ${file}: the networks of the guide are not part of this repository.`);
  return file;
}

async function content(name: string): Promise<tf.Tensor3D> {
  const whole = await readImage(`${images}/${name}`, { size: width });
  return tf.slice3d(whole, [(whole.shape[0] - height) >> 1, 0, 0], [height, width, 3]);
}
