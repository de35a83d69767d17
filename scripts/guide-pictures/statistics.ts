import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Sharp } from 'sharp';
import type { Features, Image } from '../../src/index.ts';
import {
  contentLoss,
  edgeLoss,
  type Loss,
  mrfLoss,
  styleLoss,
  sum,
  weighted,
} from '../../src/losses/index.ts';
import { loadVgg19, readImage, styleTransfer } from '../../src/node/index.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

const layers = ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1'] as const;

/** Weight of the content beside a style loss of 1 at the start, where the painting's own content loss is 1. */
const contentWeight = 0.15;

/** What each picture is painted with, in the order of docs/guides/statistics.md. */
const losses: readonly ((style: Features, content: Image) => readonly Loss[])[] = [
  (style) => [styleLoss(style)],
  (style) => [styleLoss(style, { statistic: 'mean-variance' })],
  (style) => [styleLoss(style, { statistic: 'wasserstein' })],
  (style) => [styleLoss(style, { statistic: 'histogram' })],
  (style) => [mrfLoss(style, { layers: ['relu3_1', 'relu4_1'] })],
  (style, content) => [styleLoss(style), edgeLoss(content, { pooling: [4, 16] })],
];

/** One picture in the style of one painting by each statistic: every loss counts as much at the start. */
export async function statistics(): Promise<Sharp> {
  const extractor = await loadVgg19({
    weights: process.env.TFJS_STYLE_TRANSFER_WEIGHTS,
    lastLayer: 'relu4_2',
  });
  const options = { size: 192 } as const;
  const [content, style] = await Promise.all(
    ['content', 'style'].map((name) => readImage(`${images}/${name}.jpg`, options)),
  );
  const painted: Image[] = [content, tf.image.resizeBilinear(style, [content.shape[0], content.shape[1]])];
  const there = extractor.extract(content, layers);
  const wanted = extractor.extract(content, ['relu4_2']);
  const target = extractor.extract(style, layers);
  for (const make of losses) {
    const part = contentLoss(wanted);
    // What the edges weigh beside the style is a matter of taste.
    const [first, edges] = make(target, content);
    const loss = sum([
      weighted(contentWeight / valueAt(part, extractor.extract(painted[1], ['relu4_2'])), part),
      weighted(1 / valueAt(first, there), first),
      ...(edges
        ? [weighted(0.5 / valueAt(edges, { image: tf.expandDims<tf.Tensor4D>(painted[1]) }), edges)]
        : []),
    ]);
    const { image } = await styleTransfer(content, style, { extractor, loss, scales: 1, iterations: 20 });
    painted.push(image);
    loss.dispose?.();
  }
  const sheet = await sideBySide(painted, 4);
  tf.dispose([painted, style, there, wanted, target] as tf.TensorContainer);
  extractor.dispose();
  return sheet.resize(1180);
}

const valueAt = (loss: Loss, features: Features): number => loss.compute(features).dataSync()[0];
