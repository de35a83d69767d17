import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { Image } from '../../image/image';
import { sumOfProducts } from '../../losses/gram-matrix';
import { PairwiseSum } from '../../sums';
import type { Band } from '../shared/bands';
import { matrixOf, partOf } from './band-rows';

/**
 * Inner products of the channels of layers, summed over the image's positions band by band.
 *
 * @returns [channels, channels] by layer; they belong to the surrounding `tf.tidy`, without which a failure would leak
 */
export function bandProducts(
  extractor: Pick<FeatureExtractor, 'extract'>,
  image: Image,
  layers: readonly LayerName[],
  bands: readonly Band[],
): ReadonlyMap<LayerName, tf.Tensor2D> {
  const sums = new Map(layers.map((layer) => [layer, new PairwiseSum()]));
  for (const band of layers.length > 0 ? bands : []) {
    const found: tf.NamedTensorMap = tf.tidy(() => {
      const maps = extractor.extract(partOf(image, band), layers);
      const products: tf.NamedTensorMap = {};
      for (const layer of layers) {
        const map = maps[layer] as tf.Tensor4D;
        const { from, to } = band.owned(layer);
        const width = map.shape[2];
        if (from < to) products[layer] = sumOfProducts(matrixOf(map), from * width, to * width);
      }
      return products;
    });
    for (const layer of layers) if (found[layer]) sums.get(layer)?.add(found[layer]);
  }
  return new Map([...sums].map(([layer, sum]) => [layer, sum.total() as tf.Tensor2D]));
}
