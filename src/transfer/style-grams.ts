import * as tf from '@tensorflow/tfjs-core';
import { type EngineExtractor, type GramMatrices, verifiedBy } from '../engines/engine';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { gramMatrix, guidedGramMatrix } from '../losses/gram-matrix';
import { positionWeights } from '../losses/pooled-mask';
import { owning } from '../owning';
import type { StyleStatistics } from '../styles/require-style';
import { gramOf } from '../styles/style-file';
import { type GramNumbers, StyleFold } from '../styles/style-fold';
import type { WeightedStyle } from './styles';

/** Gram matrices of a region of an image. */
interface Masked {
  /** Weights of its pixels, [height, width, 1]. */
  readonly mask?: tf.Tensor3D | undefined;
}

/** How Gram matrices of styles are computed. */
export interface GramsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes that the engine may use. @default what it can address */
  readonly room?: number | undefined;
}

/**
 * The target of a style loss: one Gram matrix for each layer, the mean of those of all styles by their weights. That of
 * a single style is the style's own, to the bit.
 *
 * @param styles at least one of positive weight; they remain the caller's
 * @returns matrices that belong to the caller
 * @throws the signal's reason once it is aborted
 */
export async function styleGrams(
  extractor: EngineExtractor,
  statistics: StyleStatistics,
  styles: readonly WeightedStyle[],
  options: GramsOptions,
): Promise<GramMatrices> {
  const used = styles.filter(({ weight }) => weight > 0);
  const [{ image, mask }] = used;
  if (used.length === 1 && image) return gramsInTurns(extractor, statistics, image, { ...options, mask });
  const fold = new StyleFold();
  for (const style of used) fold.add(await gramNumbers(extractor, statistics, style, options), style.weight);
  return owning(({ result }) => {
    const grams: Partial<Record<LayerName, tf.Tensor2D>> = {};
    for (const [layer, values] of fold.mean()) {
      const n = Math.sqrt(values.length);
      grams[layer] = result(tf.tensor2d(values, [n, n]));
    }
    return grams;
  });
}

/** Gram matrices of one style as numbers: computed from an image, or those of a file. */
export function gramNumbers(
  extractor: EngineExtractor,
  statistics: StyleStatistics,
  { image, file, mask }: WeightedStyle,
  options: GramsOptions,
): Promise<GramNumbers> {
  const { layers } = statistics;
  return verifiedBy(extractor, () =>
    owning(async ({ temporary }) => {
      if (file) return new Map(layers.map((layer) => [layer, gramOf(file, layer)]));
      const grams = temporary(await gramsInTurns(extractor, statistics, image, { ...options, mask }));
      const numbers = new Map<LayerName, Float32Array>();
      for (const layer of layers) numbers.set(layer, await (grams[layer] as tf.Tensor2D).data<'float32'>());
      return numbers;
    }),
  );
}

/** {@link gramsOf}, asynchronous where the engine can. */
async function gramsInTurns(
  extractor: EngineExtractor,
  statistics: StyleStatistics,
  image: Image,
  options: GramsOptions & Masked,
): Promise<GramMatrices> {
  const { layers, normalization } = statistics;
  const inTurns = extractor.gramMatricesInTurns?.(image, layers, { normalization, ...options });
  return (await inTurns) ?? gramsOf(extractor, statistics, image, options);
}

/**
 * Gram matrices of a style image: by the engine if it offers them, else from one feature map at a time if the extractor
 * has `extractEach`.
 */
export function gramsOf(
  extractor: EngineExtractor,
  { layers, normalization }: StyleStatistics,
  style: Image,
  { room, mask }: Pick<GramsOptions, 'room'> & Masked,
): GramMatrices {
  return owning(({ temporary, result }) => {
    const byEngine = extractor.gramMatrices?.(style, layers, { normalization, room, mask });
    if (byEngine) return byEngine;
    const grams: Partial<Record<LayerName, tf.Tensor2D>> = {};
    const take = (layer: LayerName, feature: tf.Tensor4D) => {
      const [, height, width] = feature.shape;
      const gram = () =>
        mask
          ? guidedGramMatrix(
              feature,
              positionWeights({ weights: mask, mean: 'weights' }, height, width),
              normalization,
            )
          : gramMatrix(feature, { normalization });
      grams[layer] = result(tf.tidy(gram));
    };
    if (extractor.extractEach) extractor.extractEach(style, layers, take);
    else {
      const features = temporary(extractor.extract(style, layers));
      for (const layer of layers) take(layer, features[layer] as tf.Tensor4D);
    }
    return grams;
  });
}

/** The mean of Gram matrices by weights, computed where the tensors are: for synchronous callers. */
export function meanGrams(
  { layers }: StyleStatistics,
  styles: readonly { readonly grams: GramMatrices; readonly weight: number }[],
): GramMatrices {
  const total = styles.reduce((sum, { weight }) => sum + weight, 0);
  return owning(({ result }) => {
    const mean: Partial<Record<LayerName, tf.Tensor2D>> = {};
    for (const layer of layers) {
      const blend = () =>
        styles
          .map(({ grams, weight }) => tf.mul<tf.Tensor2D>(grams[layer] as tf.Tensor2D, weight / total))
          .reduce((a, b) => tf.add(a, b));
      mean[layer] = result(tf.tidy(blend));
    }
    return mean;
  });
}
