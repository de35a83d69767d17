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

/** Environment variable used if the option `weights` is not given; it accepts the same texts. */
export const weightsVariable = 'TFJS_STYLE_TRANSFER_WEIGHTS';

/** Environment variable with URLs of folders that replace the default source's, separated by spaces or commas. */
export const mirrorsVariable = 'TFJS_STYLE_TRANSFER_MIRRORS';

/** Options of {@link nodeWeights}. */
export interface NodeWeightsOptions extends Pick<ReadWeightsOptions, 'signal' | 'onWarning'> {
  /** The convolutions to read; a cache that lacks one is incomplete. @default conv1_1 to conv3_1 */
  readonly layers?: readonly ConvLayer[] | undefined;
  /** Cache for downloads; false for none. @default `diskCache()` */
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
 * Finds weights in Node. `weights` may be anything that the option `weights` accepts elsewhere, or a path (of a folder
 * with model.json, or of a .safetensors file); downloads are cached on disk. The default is the source named by the
 * environment variable TFJS_STYLE_TRANSFER_WEIGHTS, else VGG-19 if the cache holds these layers, else the embedded
 * network. Nothing is downloaded without an explicit request.
 *
 * @throws InvalidArgumentError if `weights` is of another kind; WeightsError if no source has these layers without a
 *   download
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

/** Node's additions to `resolveWeights`: a cache on disk, environment variables, paths. */
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
