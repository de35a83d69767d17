import { WeightsError } from '../../errors';
import { showText, showValue } from '../../options/show';
import { untilAborted } from '../../until-aborted';
import { type NamedTensor, type ReadWeightsOptions, sizeOf } from '../../weights/tensor-file';
import { type ConvLayer, vgg19Convolutions } from './layers';
import type { LayersWeights, LayerWeights, WeightSource } from './source';

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

/**
 * Reads layers from a source and checks the result. Rejects when `signal` aborts, even if the source ignores the
 * signal.
 * @throws WeightsError if a layer is missing, or has a size other than VGG-19's or a number that is not finite
 */
export async function readLayers(
  source: WeightSource,
  layers: readonly ConvLayer[],
  options: ReadWeightsOptions,
): Promise<LayersWeights> {
  const read: unknown = await untilAborted(options.signal, source.read(layers, options));
  const name = showText(source.name, 200);
  if (typeof (read as Partial<LayersWeights> | undefined)?.get !== 'function') {
    const accepted = 'a Map from layer to { kernel, bias }';
    const message = `read() of the weight source ${name} gave ${showValue(read)}; accepted: ${accepted}.`;
    throw new WeightsError('WRONG_WEIGHTS', message, { option: 'weights', value: read, accepted });
  }
  const map = read as LayersWeights;
  return checkedLayers(layers, (layer) => map.get(layer), name, [...map.keys()]);
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
