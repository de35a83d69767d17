import { type ConvLayer, vgg19Convolutions } from '../features/vgg19/layers';
import { paperLayers } from '../features/vgg19/paper-layers';
import { resolveWeights, type Weights, type WeightsPlatform } from '../features/vgg19/resolve-weights';
import type { WeightSource } from '../features/vgg19/source';
import { abortSignal, any, callback, optionTable } from '../options/table';
import type { WeightCache } from '../storage/byte-cache';
import type { WeightsWarning } from '../storage/progress';
import { cacheOption } from '../storage/remote-options';
import type { ReadWeightsOptions } from '../weights/tensor-file';
import { directoryWeights } from './directory-weights';
import { diskCache } from './disk-cache';

/** Environment variable that stands for weights that are not given: whatever the option `weights` accepts. */
export const weightsVariable = 'TFJS_STYLE_TRANSFER_WEIGHTS';

/** Environment variable with URLs of folders that replace the default source's, separated by spaces or commas. */
export const mirrorsVariable = 'TFJS_STYLE_TRANSFER_MIRRORS';

/** Options of {@link nodeWeights}. */
export interface NodeWeightsOptions extends Pick<ReadWeightsOptions, 'signal' | 'onWarning'> {
  /** The convolutions that will be read; they decide whether a cache is complete. @default conv1_1 to conv3_1 */
  readonly layers?: readonly ConvLayer[] | undefined;
  /** Where downloads are kept; false for nowhere. @default `diskCache()` */
  readonly cache?: WeightCache | false | undefined;
}

const convolutions = vgg19Convolutions.map(({ name }) => name);

const nodeWeightsOptions = optionTable<NodeWeightsOptions>()('nodeWeights', {
  layers: any<readonly ConvLayer[], { default: readonly ConvLayer[] }>(
    'a list of convolutions, conv1_1 to conv5_4',
    (value) => Array.isArray(value) && value.every((layer) => convolutions.includes(layer)),
    { default: paperLayers },
  ),
  cache: cacheOption,
  signal: abortSignal(),
  onWarning: callback<(warning: WeightsWarning) => void>(),
});

/**
 * Weights as Node finds them: beside all that the option `weights` accepts elsewhere, a path (a folder with model.json,
 * or a .safetensors file), and downloads are kept on disk. Without `weights`: what the environment variable
 * TFJS_STYLE_TRANSFER_WEIGHTS names, else VGG-19 if the cache holds these layers, else the embedded network. Nothing is
 * fetched that was not asked for.
 *
 * @throws InvalidArgumentError if `weights` is nothing of the kind; WeightsError if there is nothing for these layers
 * without network
 * @example
 * ```ts
 * const result = await styleTransfer(content, style, { weights: await nodeWeights('vgg19') });
 * ```
 */
export async function nodeWeights(
  weights?: Weights,
  options: NodeWeightsOptions = {},
): Promise<WeightSource> {
  const { layers, cache, signal, onWarning } = nodeWeightsOptions.read(options);
  const { source } = await resolveWeights(weights, layers, {
    platform: nodePlatform(cache),
    signal,
    onWarning,
  });
  return source;
}

/** What Node adds to `resolveWeights`: a cache on disk, environment variables, paths. */
export function nodePlatform(cache: WeightCache | false = diskCache()): WeightsPlatform {
  const mirrors = process.env[mirrorsVariable]?.split(/[\s,]+/).filter((mirror) => mirror !== '');
  return {
    cache,
    defaultWeights: process.env[weightsVariable] || undefined,
    mirrors: mirrors?.length ? mirrors : undefined,
    open: (location) => (isPath(location) ? directoryWeights(location) : undefined),
  };
}

/** Whether a location is a path: it has no scheme, or `file:`. A single letter before the colon is a drive. */
const isPath = (location: string | URL): boolean =>
  /^file:/i.test(String(location)) || !/^[a-z][a-z0-9+.-]+:/i.test(String(location));
