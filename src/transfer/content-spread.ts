import * as tf from '@tensorflow/tfjs-core';
import { bandsOf } from '../engines/shared/bands';
import type { FeatureExtractor } from '../features/extractor';
import { deepestLayer, type Vgg19Layer } from '../features/vgg19/layers';
import { vgg19Network } from '../features/vgg19/network';
import type { Image } from '../image/image';
import { added, type FeatureSums, featureSums, spreadOfSums } from '../losses/spread';
import { rowsOf } from '../tensor-rows';

/**
 * `spreadOf` each of some layers' features at an image, which is computed by bands: of large images, whole maps are
 * what tiles avoid.
 *
 * @param tiles number of bands
 */
export function contentSpread(
  extractor: Pick<FeatureExtractor, 'extract'>,
  image: Image,
  layers: readonly Vgg19Layer[],
  tiles: number,
): readonly number[] {
  const [height] = image.shape;
  const { steps } = vgg19Network({ lastLayer: deepestLayer(layers) as Vgg19Layer });
  const sums = new Map<Vgg19Layer, FeatureSums>();
  for (const band of bandsOf(steps, layers, height, Math.ceil(height / tiles)))
    tf.tidy(() => {
      const features = extractor.extract(
        rowsOf(image, band.rows.from, band.rows.to - band.rows.from),
        layers,
      );
      for (const layer of layers) {
        const { from, to } = band.owned(layer);
        if (from === to) continue;
        const rows = rowsOf(tf.squeeze<tf.Tensor3D>(features[layer] as tf.Tensor4D, [0]), from, to - from);
        const own = featureSums(tf.expandDims<tf.Tensor4D>(rows, 0));
        const before = sums.get(layer);
        sums.set(layer, before ? added(before, own) : own);
      }
    });
  return layers.map((layer) => spreadOfSums(sums.get(layer) as FeatureSums));
}
