import { WeightsError } from '../../errors';
import { type ConvLayer, vgg19Convolutions } from './layers';
import type { LayerWeights } from './source';

/** Throws a `WeightsError` that names layer, expected and found, unless kernel and bias fit the layer and are finite. */
export function checkLayer(layer: ConvLayer, weights: LayerWeights, source: string): LayerWeights {
  for (const part of ['kernel', 'bias'] as const) {
    const expected = layerShapes(layer)[part];
    const values = weights[part];
    if (!(values instanceof Float32Array) || values.length !== size(expected)) {
      const found = values instanceof Float32Array ? `${values.length} numbers` : String(values);
      throw wrongShape(layer, part, expected, found, source);
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new WeightsError(
        'NOT_FINITE',
        `${layer}'s ${part} from ${source} holds ${values[bad]} at index ${bad}; expected finite numbers.`,
        { option: layer, value: values[bad], accepted: 'finite numbers' },
      );
    }
  }
  return weights;
}

/** Throws a `WeightsError` unless a stored tensor has exactly the shape that the layer needs. */
export function checkShape(
  layer: ConvLayer,
  part: 'kernel' | 'bias',
  found: readonly number[],
  expected: readonly number[],
  source: string,
): void {
  if (found.length !== expected.length || found.some((extent, i) => extent !== expected[i]))
    throw wrongShape(layer, part, expected, `[${found}]`, source);
}

/** The error for a layer that a source lacks. */
export function missingLayer(layer: ConvLayer, source: string, found: readonly string[]): WeightsError {
  const shown = found.length > 40 ? [...found.slice(0, 40), '...'] : found;
  return new WeightsError(
    'MISSING_LAYER',
    `${source} has no ${layer}; it has: ${shown.join(', ') || 'nothing of VGG-19'}.`,
    { option: layer, value: undefined, accepted: found },
  );
}

/** Shapes of a layer's kernel (HWIO) and bias. */
export function layerShapes(layer: ConvLayer): { kernel: readonly number[]; bias: readonly number[] } {
  const shapes = shapesOfLayers.get(layer);
  if (!shapes)
    throw new WeightsError('MISSING_LAYER', `VGG-19 has no convolution '${layer}'.`, { option: layer });
  return shapes;
}

const shapesOfLayers = new Map(
  vgg19Convolutions.map(({ name, channelsIn, channelsOut }) => [
    name,
    { kernel: [3, 3, channelsIn, channelsOut], bias: [channelsOut] },
  ]),
);

function wrongShape(
  layer: ConvLayer,
  part: string,
  expected: readonly number[],
  found: string,
  source: string,
): WeightsError {
  const accepted = `[${expected}] (${size(expected)} numbers)`;
  return new WeightsError(
    'WRONG_SHAPE',
    `${layer}'s ${part} from ${source}: expected ${accepted}, found ${found}.`,
    { option: layer, value: found, accepted },
  );
}

const size = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
