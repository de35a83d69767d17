import { WeightsError } from '../../errors';
import { showValue } from '../../options/show';
import { type NamedTensor, sizeOf } from '../../weights/tensor-file';
import { type ConvLayer, vgg19Convolutions } from './layers';
import type { LayersWeights, LayerWeights } from './source';

/** The two tensors of a convolution. */
export type LayerPart = 'kernel' | 'bias';

/** Shapes of a layer's kernel (HWIO) and bias. */
export function layerShapes(layer: ConvLayer): Record<LayerPart, readonly number[]> {
  const found = vgg19Convolutions.find(({ name }) => name === layer);
  if (!found)
    throw new WeightsError('MISSING_LAYER', `VGG-19 has no convolution '${layer}'.`, { option: layer });
  return { kernel: [3, 3, found.channelsIn, found.channelsOut], bias: [found.channelsOut] };
}

/**
 * Throws a `WeightsError` that names layer, expected and found, unless kernel and bias fit the layer and are finite.
 */
export function checkLayer(layer: ConvLayer, weights: LayerWeights, source: string): LayerWeights {
  for (const part of ['kernel', 'bias'] as const) {
    const expected = layerShapes(layer)[part];
    const values = weights[part];
    if (!isFloat32Array(values) || values.length !== sizeOf(expected)) {
      const found = isFloat32Array(values) ? `${values.length} numbers` : showValue(values);
      throw wrongShape(layer, part, expected, found, source);
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const message = `${layer}'s ${part} from ${source} holds ${values[bad]} at index ${bad}; expected finite numbers.`;
      throw new WeightsError('NOT_FINITE', message, {
        option: layer,
        value: values[bad],
        accepted: 'finite numbers',
      });
    }
  }
  return weights;
}

/** Looks up the weights of layers and checks each. @param has names of the existing layers, for messages */
export function checkedLayers(
  wanted: readonly ConvLayer[],
  weightsOf: (layer: ConvLayer) => LayerWeights | undefined,
  source: string,
  has: readonly string[],
): LayersWeights {
  return new Map(
    wanted.map((layer) => {
      const found = weightsOf(layer);
      if (!found) throw missingLayer(layer, source, has);
      return [layer, checkLayer(layer, found, source)];
    }),
  );
}

/** Throws a `WeightsError` unless a stored tensor has exactly the shape that the layer needs. */
export function checkShape(
  layer: ConvLayer,
  part: LayerPart,
  { shape }: Pick<NamedTensor, 'shape'>,
  expected: readonly number[],
  source: string,
): void {
  if (shape.length !== expected.length || shape.some((extent, i) => extent !== expected[i]))
    throw wrongShape(layer, part, expected, `[${shape}]`, source);
}

/** The error for a layer that a source lacks. @param found names of the layers that it has */
export function missingLayer(layer: ConvLayer, source: string, found: readonly string[]): WeightsError {
  const has = found.join(', ') || 'nothing of VGG-19';
  return new WeightsError('MISSING_LAYER', `${source} has no ${layer}; it has: ${has}.`, {
    option: layer,
    value: undefined,
    accepted: found,
  });
}

function wrongShape(
  layer: ConvLayer,
  part: LayerPart,
  expected: readonly number[],
  found: string,
  source: string,
): WeightsError {
  const accepted = `[${expected}] (${sizeOf(expected)} numbers)`;
  const message = `${layer}'s ${part} from ${source}: expected ${accepted}, found ${found}.`;
  return new WeightsError('WRONG_SHAPE', message, { option: layer, value: found, accepted });
}

/** `instanceof` fails for arrays of another realm, such as a frame or a vm context. */
const isFloat32Array = (value: unknown): value is Float32Array =>
  Object.prototype.toString.call(value) === '[object Float32Array]';
