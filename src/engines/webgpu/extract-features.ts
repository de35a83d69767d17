import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { Image } from '../../image/image';
import { owning } from '../../owning';
import type { Gpu } from './device/gpu';
import { placePieces, planShelves } from './device/pieces';
import type { TfjsDevice } from './device/tfjs-device';
import { type PlannedNetwork, planFeatures, shapesOf } from './losses/evaluation-plan';

/** What features are computed with. */
export interface FeatureContext extends PlannedNetwork {
  readonly gpu: Gpu;
  readonly tfjs: TfjsDevice;
}

/**
 * Features of an image as tensors of tfjs, [1, height, width, channels], which belong to the caller. Commands are cut
 * and submitted as those of an evaluation are.
 */
export function extractFeatures(
  context: FeatureContext,
  image: Image,
  layers: readonly LayerName[],
): Features {
  const { gpu, tfjs, stages } = context;
  const [height, width] = image.shape;
  const shapeOf = shapesOf(stages, [height, width]);
  return owning(({ temporary, result }) => {
    const features: Partial<Record<LayerName, tf.Tensor4D>> = {};
    if (layers.includes('image')) features.image = result(tf.expandDims<tf.Tensor4D>(image, 0));
    const deep = layers.filter((layer) => layer !== 'image');
    if (deep.length === 0) return features;
    const input = { buffer: tfjs.bufferOf(image), size: 4 * image.size };
    const { items, maps } = planFeatures(context, deep, [height, width], input);
    const placed = temporary(placePieces(gpu, items, planShelves(items)));
    gpu.record(placed.phases.flat());
    gpu.submit();
    for (const [layer, { map, relu }] of maps)
      features[layer] = result(
        tf.tidy(() => {
          const view = tfjs.viewOf<tf.Rank.R4>(placed.slice(map).buffer, [1, ...shapeOf(layer)]);
          return relu ? tf.relu(view) : tf.mul<tf.Tensor4D>(view, 1);
        }),
      );
    // The maps' buffers are destroyed behind what reads them.
    tfjs.flush();
    return features;
  });
}
