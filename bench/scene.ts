import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../src/features/extractor';
import { type ConvLayer, convolutionsUpTo } from '../src/features/vgg19/layers';
import type { LayerWeights } from '../src/features/vgg19/source';
import type { Image } from '../src/image/image';
import { contentLoss, type Loss, styleLoss, sum, weighted } from '../src/losses';
import { directoryWeights } from '../src/node/directory-weights';

/** The folder with weights and photographs beside the project. */
export const sharedFolder = resolve(process.env.TFJS_STYLE_TRANSFER_SHARED ?? '../shared');

/** The scene of every benchmark: the paper's baseline on a photograph and a painting, with real VGG-19 weights. */
export interface Scene {
  readonly size: number;
  readonly content: Image;
  readonly style: Image;
}

export type Weights = ReadonlyMap<ConvLayer, LayerWeights>;

/**
 * How deep the loss of a benchmark goes: the five layers of Li et al. 2021, or the first convolution of each of the
 * five blocks, before or after its ReLU.
 */
export type Depth = 'conv3_1' | 'conv5_1' | 'relu5_1';

/** The layers of the loss. */
export function sceneLayers(depth: Depth): { content: ConvLayer; style: readonly ConvLayer[] } {
  return depth === 'conv3_1'
    ? { content: 'conv2_2', style: ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] }
    : { content: 'conv4_2', style: ['conv1_1', 'conv2_1', 'conv3_1', 'conv4_1', 'conv5_1'] };
}

/** Real weights; for the deeper layers of 8 bits. They are not part of the repository. */
export async function benchWeights(depth: Depth = 'conv3_1'): Promise<Weights> {
  const path = resolve(sharedFolder, depth === 'conv3_1' ? 'vgg19' : 'vgg19-uint8');
  if (!existsSync(path)) {
    throw new Error(
      `Benchmarks need VGG-19's weights: ${path} is not there; set TFJS_STYLE_TRANSFER_SHARED to the folder that holds vgg19 and vgg19-uint8.`,
    );
  }
  return directoryWeights(path).read(convolutionsUpTo(depth));
}

/** The anchor's pictures if they exist, else the demonstration's, as squares. */
export async function scene(size: number): Promise<Scene> {
  const anchor = size <= 256 ? 256 : 512;
  const pictures = [`anchor/content-${anchor}.png`, `anchor/style-${anchor}.png`].map((path) =>
    resolve(sharedFolder, path),
  );
  const [content, style] = pictures.every((path) => existsSync(path))
    ? pictures
    : ['content', 'style'].map((name) => resolve(import.meta.dirname, `../examples/images/${name}.jpg`));
  return { size, content: await square(content, size), style: await square(style, size) };
}

async function square(path: string, size: number): Promise<Image> {
  // Benchmarks that need no pictures run where it is not installed.
  const { default: sharp } = await import('sharp');
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

/** Content MSE and Gram style, alpha 1, beta 1e6, before ReLUs. */
export function sceneLoss(
  extractor: FeatureExtractor,
  { content, style }: Scene,
  depth: Depth = 'conv3_1',
): Loss {
  const layers = sceneLayers(depth);
  const [wanted, strokes] = [
    extractor.extract(content, [layers.content]),
    extractor.extract(style, layers.style),
  ];
  const loss = sum([contentLoss(wanted), weighted(1e6, styleLoss(strokes))]);
  tf.dispose([wanted, strokes] as tf.TensorContainer);
  return loss;
}
