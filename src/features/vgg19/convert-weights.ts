import { abortSignal, callback, oneOf, optionTable } from '../../options/table';
import type { WeightsProgress, WeightsWarning } from '../../storage/progress';
import {
  layersModelFiles,
  type WeightFile,
  type WeightFormat,
  weightFormats,
} from '../../weights/layers-model-files';
import type { ReadWeightsOptions } from '../../weights/tensor-file';
import { layerShapes, readLayers } from './check-layers';
import type { ConvLayer } from './layers';
import { kerasLayer } from './naming';
import type { WeightSource } from './source';

export { type WeightFile, type WeightFormat, weightFormats };

/** Options of {@link convertWeights}. */
export interface ConvertWeightsOptions extends ReadWeightsOptions {
  /** Storage format of kernels. @default 'float16' */
  readonly format?: WeightFormat | undefined;
}

const convertWeightsOptions = optionTable<ConvertWeightsOptions>()('convertWeights', {
  format: oneOf(weightFormats, { default: 'float16' }),
  signal: abortSignal(),
  onProgress: callback<(progress: WeightsProgress) => void>(),
  onWarning: callback<(warning: WeightsWarning) => void>(),
});

/**
 * Converts weights to half or a quarter of their size: a `model.json` and a shard for each layer, to be put in one
 * folder, which {@link layersModelWeights} reads like any other.
 *
 * float16 is tfjs' own (`quantization: { dtype: 'float16' }`). int8 is an extension that only this library reads:
 * `quantization: { dtype: 'int8', scale: [...] }` has a scale for each output channel c, the last axis of the kernel;
 * stored are q = round(w / scale[c]) in -127..127 with scale[c] = max |w| / 127 over the channel, and read is w = q *
 * scale[c].
 * `userDefinedMetadata.weightConvention` names the convention of the weights.
 *
 * @param layers the convolutions to store
 * @returns the files; model.json comes last, so that a folder with it is complete
 * @throws WeightsError if the source lacks a layer; InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * for (const { name, bytes } of await convertWeights(source, ['conv1_1', 'conv1_2'], { format: 'int8' }))
 *   await writeFile(join(folder, name), bytes);
 * ```
 */
export async function convertWeights(
  source: WeightSource,
  layers: readonly ConvLayer[],
  options: ConvertWeightsOptions = {},
): Promise<WeightFile[]> {
  const { format, ...reading } = convertWeightsOptions.read(options);
  const weights = await readLayers(source, layers, reading);
  const named = Array.from(weights, ([layer, { kernel, bias }]) => {
    const shapes = layerShapes(layer);
    return {
      name: kerasLayer(layer),
      kernel: { shape: shapes.kernel, values: kernel },
      bias: { shape: shapes.bias, values: bias },
    };
  });
  return layersModelFiles(named, format, { weightConvention: source.convention, derivedFrom: source.name });
}
