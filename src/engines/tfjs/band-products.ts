import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { Image } from '../../image/image';
import { sumOfProducts } from '../../losses/gram-matrix';
import { PairwiseSum } from '../../sums';
import { rowsOf } from '../../tensor-rows';
import type { Band, Rows } from '../shared/bands';
import { mapRows, partOf } from '../shared/map-rows';
import { matrixOf } from './band-rows';

/** Inner products of a layer's channels: over all positions, or weighted. */
export interface Products {
  readonly layer: LayerName;
  /** Weights of the layer's positions, [height, width, 1]. */
  readonly weights?: tf.Tensor3D | undefined;
}

/**
 * Inner products of the channels of layers, summed over the image's positions band by band.
 *
 * @returns [channels, channels] in the order of `wanted`; they belong to the surrounding `tf.tidy`, without which a
 *   failure would leak
 */
export function bandProducts(
  extractor: Pick<FeatureExtractor, 'extract'>,
  image: Image,
  wanted: readonly Products[],
  bands: readonly Band[],
): readonly tf.Tensor2D[] {
  const layers = [...new Set(wanted.map(({ layer }) => layer))];
  const sums = wanted.map(() => new PairwiseSum());
  for (const band of wanted.length > 0 ? bands : []) {
    const found = tf.tidy(() => {
      const maps = extractor.extract(partOf(image, band), layers);
      const products: tf.NamedTensorMap = {};
      for (const [i, { layer, weights }] of wanted.entries()) {
        const owned = band.owned(layer);
        if (owned.from === owned.to) continue;
        const map = maps[layer] as tf.Tensor4D;
        const width = map.shape[2];
        products[i] = weights
          ? sumOfProducts(matrixOf(weighted(map, owned, weights, band.first(layer))))
          : sumOfProducts(matrixOf(map), owned.from * width, owned.to * width);
      }
      return products;
    });
    for (const [i, sum] of sums.entries()) if (found[i]) sum.add(found[i]);
  }
  return sums.map((sum) => sum.total() as tf.Tensor2D);
}

/** Rows of a map, each position times the root of its weight. @param first the map's first row in the whole image's */
function weighted(map: tf.Tensor4D, rows: Rows, weights: tf.Tensor3D, first: number): tf.Tensor4D {
  return tf.tidy(() => tf.mul(mapRows(map, rows), tf.sqrt(weightRows(weights, rows, first))));
}

/**
 * The weights of some rows of a band's map, [1, rows, width, 1].
 * @param first the map's first row in the whole image's
 */
export function weightRows(weights: tf.Tensor3D, { from, to }: Rows, first: number): tf.Tensor4D {
  return tf.tidy(() => tf.expandDims<tf.Tensor4D>(rowsOf(weights, first + from, to - from), 0));
}
