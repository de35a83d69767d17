import type { LayerName } from '../../../features/layer-name';
import type { Network } from '../network/network';
import { layerShape, type PassOptions, planPass } from '../network/pass-plan';
import type { Size } from '../require-room';
import { gramMatrixBytes, gramPass } from './gram-matrices';
import { gramTermBytes } from './gram-term';
import { patchGramBytes } from './patch-gram-term';
import { featureTermBytes, variationTermBytes, wholeVectors } from './terms';

/** Memory of an objective beside the maps of its pass. */
export interface ObjectiveRequest {
  readonly options: PassOptions;
  /**
   * Layers of terms that compare feature maps, each with a target of the map's size; a layer may occur several times.
   */
  readonly features: readonly LayerName[];
  /** Layers of terms that compare Gram matrices. */
  readonly grams: readonly LayerName[];
  /** Layers whose gradients come from tfjs, one map at a time. */
  readonly cotangents: readonly LayerName[];
}

/** Additional bytes of an objective for images of a size, beside the memory in use. */
export function objectiveBytes(network: Network, size: Size, request: ObjectiveRequest): number {
  const { options, features, grams, cotangents } = request;
  const { places } = network;
  const floatsOf = (layer: LayerName): number =>
    layerShape(network, size, layer).reduce((product, extent) => product * extent, 1);
  const gramBytes = (layer: LayerName): number => {
    const channels = layerShape(network, size, layer)[3];
    const first = places.get(layer)?.stage === 0;
    return options.firstFromImage && first ? patchGramBytes(channels) : gramTermBytes(channels);
  };
  const image = 4 * wholeVectors(size[0] * size[1] * 3);
  const deepest = Math.max(-1, ...options.layers.map((layer) => places.get(layer)?.stage ?? -1));
  return [
    planPass(network, size[0], size[1], options).bytes,
    // The gradient, and the image if a loss reads it.
    image,
    ...(options.layers.includes('image') ? [image, variationTermBytes] : []),
    ...features.map((layer) => featureTermBytes(floatsOf(layer))),
    ...grams.map(gramBytes),
    Math.max(0, ...cotangents.map((layer) => 4 * floatsOf(layer))),
    backwardFilterBytes(network, deepest),
  ].reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Upper bound of the bytes of missing backward filters. They are made from the deepest stage on, each from a
 * copy of its kernel with a quarter of their size.
 */
function backwardFilterBytes({ stages }: Network, deepest: number): number {
  let [made, most] = [0, 0];
  for (let stage = deepest; stage > 0; stage--) {
    const bytes = stages[stage].missingBytes();
    made += bytes;
    if (bytes > 0) most = Math.max(most, made + bytes / 4 + 512);
  }
  return most;
}

/** Bytes that the Gram matrices of an image of a size take while they are computed. */
export function gramMatricesBytes(network: Network, size: Size, layers: readonly LayerName[]): number {
  const channels = layers.map((layer) => layerShape(network, size, layer)[3]);
  const { bytes } = planPass(network, size[0], size[1], gramPass(layers));
  return bytes + gramMatrixBytes(Math.max(0, ...channels));
}
