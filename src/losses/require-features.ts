import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { showValue } from '../options/show';
import { any } from '../options/table';
import { nearestName } from '../options/validate';

/** The option `layers` of losses with a target. */
export const layersOption = any<readonly LayerName[]>('an array of layer names', Array.isArray);

/** The layers of `target` that a loss compares: `layers`, each of which must be there, or by default all of them. */
export function targetLayers(caller: string, target: Features, layers?: readonly LayerName[]): LayerName[] {
  const there = (isRecord(target) ? Object.keys(target) : []) as LayerName[];
  if (there.length === 0) {
    throw new InvalidArgumentError(
      'EMPTY',
      `${caller} got ${isRecord(target) ? 'a target without features' : `the target ${showValue(target)}`}; accepted: what extractor.extract() returns.`,
      {
        option: 'target',
        value: target,
        accepted: 'a record of layer name -> Tensor4D',
      },
    );
  }
  if (layers === undefined) return there;
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new InvalidArgumentError(
      'EMPTY',
      `${caller}: layers is ${showValue(layers)}; accepted: some of ${there.join(', ')}.`,
      {
        option: 'layers',
        value: layers,
        accepted: there,
      },
    );
  }
  for (const layer of layers) requireFeature(caller, target, layer);
  return [...layers];
}

const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The feature map of `layer`, or an error that lists the available layers. */
export function requireFeature(caller: string, features: Features, layer: LayerName): tf.Tensor4D {
  const feature = features[layer];
  if (feature) return feature;
  const there = Object.keys(features);
  const near = nearestName(String(layer), there);
  throw new InvalidArgumentError(
    'MISSING_LAYER',
    `${caller} needs the features of layer ${showValue(layer)}, which are not there${near ? `; did you mean '${near}'?` : '.'} There are: ${there.join(', ') || 'none'}.`,
    { option: 'layers', value: layer, accepted: there },
  );
}

/** Throws unless a feature has the shape that its target has. */
export function requireSameShape(
  caller: string,
  layer: LayerName,
  feature: tf.Tensor,
  target: tf.Tensor,
): void {
  if (tf.util.arraysEqual(feature.shape, target.shape)) return;
  throw new InvalidArgumentError(
    'WRONG_SHAPE',
    `${caller}: the features of ${layer} have shape [${feature.shape}] and the target's [${target.shape}]; accepted: the same, that is, images of one size.`,
    { option: layer, value: feature.shape, accepted: `[${target.shape}]` },
  );
}
