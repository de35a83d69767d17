import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import type { FeatureExtractor } from '../src/features/extractor';
import type { ConvLayer, LayerName } from '../src/features/layers';
import { stepsUpTo } from '../src/features/layers';
import type { LayerWeights } from '../src/features/weights/source';
import type { Image } from '../src/image/image';
import type { Loss } from '../src/losses';
import { directoryWeights } from '../src/node/directory-weights';
import { presetLoss } from '../src/preset-loss';
import { getPreset } from '../src/presets';

const folder = resolve(process.env.TFJS_STYLE_TRANSFER_SHARED ?? '../shared');

/** What every benchmark computes: the paper's baseline on a photograph and a painting, with real VGG-19 weights. */
export interface Scene {
  readonly size: number;
  readonly content: Image;
  readonly style: Image;
}

/** The five layers of Li et al. 2021, of which the fourth is the content layer. */
export const styleLayers: readonly LayerName[] = getPreset('pytorch-tutorial').style.layers;

/** Real weights of conv1_1 to conv3_1. They are not part of the repository. */
export async function benchWeights(): Promise<ReadonlyMap<ConvLayer, LayerWeights>> {
  const path = resolve(folder, 'vgg19');
  if (!existsSync(path)) {
    throw new Error(
      `Benchmarks need VGG-19's weights: ${path} is not there; set TFJS_STYLE_TRANSFER_SHARED to the folder that holds vgg19/.`,
    );
  }
  const convolutions = stepsUpTo('conv3_1').filter((step) => step.kind === 'conv');
  return directoryWeights(path).read(convolutions.map((step): ConvLayer => step.name));
}

/** The anchor's pictures where they are, else the demonstration's, as squares. */
export async function scene(size: number): Promise<Scene> {
  const anchor = size <= 256 ? 256 : 512;
  const pictures = [`anchor/content-${anchor}.png`, `anchor/style-${anchor}.png`].map((path) =>
    resolve(folder, path),
  );
  const [content, style] = pictures.every((path) => existsSync(path))
    ? pictures
    : ['content', 'style'].map((name) => resolve(import.meta.dirname, `../examples/images/${name}.jpg`));
  return { size, content: await square(content, size), style: await square(style, size) };
}

async function square(path: string, size: number): Promise<Image> {
  const pixels = await sharp(path)
    .resize(size, size, { fit: 'cover', kernel: 'lanczos3' })
    .removeAlpha()
    .raw()
    .toBuffer();
  return tf.tensor3d(
    Float32Array.from(pixels, (v) => v / 255),
    [size, size, 3],
  );
}

/** Content MSE at conv2_2 and Gram style at the five layers, alpha 1, beta 1e6. */
export function sceneLoss(extractor: FeatureExtractor, { content, style }: Scene): Loss {
  return presetLoss(getPreset('pytorch-tutorial'), { extractor, content, style });
}
