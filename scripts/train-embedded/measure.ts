import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../../src/features/extractor.ts';
import type { Image } from '../../src/image/image.ts';
import { contentLoss } from '../../src/losses/content-loss.ts';
import { styleLoss } from '../../src/losses/style-loss.ts';
import { loadVgg19 } from '../../src/node/load-vgg19.ts';
import { readImage } from '../../src/node/read-image.ts';
import { styleTransfer } from '../../src/transfer/style-transfer';

const contentLayers = ['conv2_2'] as const;
const styleLayers = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] as const;

/** Two pictures at a size, and what real VGG-19 features say of a third. */
export interface Judge {
  readonly content: Image;
  readonly style: Image;
  /**
   * Content distance (1: as far as the style picture) and style distance (1: as far as the content picture) of an
   * image.
   */
  judge(image: Image): Judgement;
  dispose(): void;
}

/** Distances by real VGG-19 features, relative to those between the two pictures. */
export interface Judgement {
  readonly content: number;
  readonly style: number;
  /** Layer by layer, conv1_1 to conv3_1. */
  readonly styleByLayer: readonly number[];
}

/** A stylised image that is as far from the content as wanted. */
export interface Match extends Judgement {
  readonly beta: number;
  readonly image: Image;
}

/** The folder with real weights and pictures, which are not part of the repository. */
export const sharedFolder = resolve(process.env.TFJS_STYLE_TRANSFER_SHARED ?? '../shared');

/** Reads a pair of pictures as squares of `size`, and measures with VGG-19's real weights. */
export async function createJudge(contentPath: string, stylePath: string, size: number): Promise<Judge> {
  const read = (path: string) => readImage(resolve(sharedFolder, path), { size, fit: 'cover' });
  const [content, style] = [await read(contentPath), await read(stylePath)];
  const vgg19 = await loadVgg19({ weights: resolve(sharedFolder, 'vgg19') });
  const contentTerm = contentLoss(vgg19.extract(content, contentLayers));
  const styleTerms = styleLayers.map((layer) => styleLoss(vgg19.extract(style, [layer])));
  const measure = (image: Image) => ({
    content: tf.tidy(() => contentTerm.compute(vgg19.extract(image, contentLayers)).dataSync()[0]),
    style: styleTerms.map((term) =>
      tf.tidy(() => term.compute(vgg19.extract(image, term.layers)).dataSync()[0]),
    ),
  });
  const furthest = { content: measure(style).content, style: measure(content).style };
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b);
  return {
    content,
    style,
    judge(image) {
      const found = measure(image);
      return {
        content: found.content / furthest.content,
        style: sum(found.style) / sum(furthest.style),
        styleByLayer: found.style.map((value, i) => value / furthest.style[i]),
      };
    },
    dispose() {
      tf.dispose([content, style]);
      vgg19.dispose();
      for (const term of [contentTerm, ...styleTerms]) term.dispose?.();
    },
  };
}

/** Stylises with the squared losses of Li et al.'s baseline and judges the image. */
export async function stylise(
  { content, style, judge }: Judge,
  extractor: FeatureExtractor,
  beta: number,
  evaluations: number,
): Promise<Match> {
  const options = {
    preset: 'li2021-baseline',
    extractor,
    maxEvaluations: evaluations,
    iterations: evaluations,
  } as const;
  const { image } = await styleTransfer(content, style, 1, beta, options);
  return { image, beta, ...judge(image) };
}

/**
 * Style distances of different networks compare only at one content distance: looks for the beta that reaches it, in a
 * few runs, and interpolates between the nearest two.
 */
export async function styliseAtContent(
  judge: Judge,
  extractor: FeatureExtractor,
  contentDistance: number,
  { beta = 1e6, evaluations = 100, runs = 3 } = {},
): Promise<Match> {
  const tried: Match[] = [];
  for (let next = beta; tried.length < runs; ) {
    tried.push(await stylise(judge, extractor, next, evaluations));
    tried.sort((a, b) => Math.abs(a.content - contentDistance) - Math.abs(b.content - contentDistance));
    const [nearest, second] = tried;
    if (Math.abs(nearest.content - contentDistance) < 0.004) break;
    const slope = second
      ? Math.log(nearest.beta / second.beta) / (nearest.content - second.content)
      : 4 / contentDistance;
    next = nearest.beta * Math.exp(Math.min(60, Math.max(2, slope)) * (contentDistance - nearest.content));
  }
  const [nearest, second] = tried;
  for (const { image } of tried.slice(1)) image.dispose();
  if (!second || Math.abs(nearest.content - second.content) < 0.005) return nearest;
  const part = Math.max(
    -1,
    Math.min(1, (contentDistance - nearest.content) / (second.content - nearest.content)),
  );
  return { ...nearest, style: nearest.style * (second.style / nearest.style) ** part };
}
