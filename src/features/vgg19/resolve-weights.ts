import type * as tf from '@tensorflow/tfjs-core';
import { WeightsError } from '../../errors';
import { browserCache } from '../../storage/browser-cache';
import type { WeightCache } from '../../storage/byte-cache';
import { requireUrl, unknownWeights } from '../../storage/remote-location';
import { isIOHandler } from '../../weights/io-handler';
import type { ReadWeightsOptions } from '../../weights/tensor-file';
import { layersModelWeights, safetensorsWeights } from './file-weights';
import type { ConvLayer } from './layers';
import type { WeightSource } from './source';
import { vgg19Weights } from './vgg19-weights';
import { requireWeightKind } from './weight-kinds';
import { type WeightMap, weightMap } from './weight-map';

/**
 * A source of weights: `'vgg19'` (the default source, downloaded unless it is cached), `'embedded'` (the small network
 * of this package), the URL of a tfjs model.json, of its folder or of a .safetensors file, a source, a
 * `tf.io.IOHandler`, or a map.
 */
export type Weights = 'vgg19' | 'embedded' | (string & {}) | URL | WeightSource | tf.io.IOHandler | WeightMap;

/** The differences between platforms in {@link resolveWeights}. */
export interface WeightsPlatform {
  /** Cache for downloads. @default the browser's cache, if there is one */
  readonly cache?: WeightCache | false | undefined;
  /** Value of the option `weights` if it is not given. */
  readonly defaultWeights?: string | undefined;
  /** URLs of folders in place of the default source's. */
  readonly mirrors?: readonly string[] | undefined;
  /** Opens a path; undefined for a URL. */
  readonly open?: ((location: string | URL) => WeightSource | undefined) | undefined;
}

/** Options of {@link resolveWeights}. */
export interface ResolveWeightsOptions extends Pick<ReadWeightsOptions, 'signal' | 'onWarning'> {
  readonly platform?: WeightsPlatform | undefined;
}

/** A source, and whether it is the embedded network. */
export interface ResolvedWeights {
  readonly source: WeightSource;
  readonly embedded: boolean;
}

/**
 * The source for an option `weights`. By default nothing is downloaded: it is the platform's default (in Node, the
 * environment variable), else the default source if a cache holds all of the layers, else the embedded network.
 *
 * @param layers the convolutions to read
 * @throws InvalidArgumentError if `weights` is of another kind; WeightsError if no source has these layers without a
 *   download
 */
export async function resolveWeights(
  weights: Weights | undefined,
  layers: readonly ConvLayer[],
  options: ResolveWeightsOptions = {},
): Promise<ResolvedWeights> {
  const { platform = {} } = options;
  const source =
    weights === undefined && platform.defaultWeights === undefined
      ? ((await cachedVgg19(layers, options)) ?? (await embeddedFor(layers)))
      : await sourceOf(weights ?? platform.defaultWeights, platform);
  return { source, embedded: source.embedded === true };
}

async function sourceOf(weights: Weights | undefined, platform: WeightsPlatform): Promise<WeightSource> {
  const { cache, mirrors } = platform;
  if (weights === 'embedded') return (await import('./embedded')).embeddedWeights;
  if (weights === 'vgg19') return vgg19Weights({ cache, mirrors });
  // An empty text would be the current folder.
  if ((typeof weights === 'string' && weights !== '') || weights instanceof URL) {
    requireWeightKind(weights);
    const opened = platform.open?.(weights);
    if (opened) return opened;
    const url = requireUrl(weights);
    return url.pathname.toLowerCase().endsWith('.safetensors')
      ? safetensorsWeights(url, { cache })
      : layersModelWeights(url, { cache });
  }
  if (isWeightSource(weights)) return weights;
  if (isIOHandler(weights)) return layersModelWeights(weights);
  if (typeof weights === 'object' && weights !== null) return weightMap(weights as WeightMap);
  // A text may come from a command line, where there are no objects.
  const objects = weights === '' ? '' : ', a WeightSource, a tf.io.IOHandler, or a map of layers';
  const accepted = `'vgg19', 'embedded', ${platform.open ? 'a path, ' : ''}a URL${objects}`;
  throw unknownWeights(weights, accepted);
}

/** The default source, if a cache holds these layers. They are read immediately, because the cache may change later. */
async function cachedVgg19(
  layers: readonly ConvLayer[],
  { platform = {}, signal, onWarning }: ResolveWeightsOptions,
): Promise<WeightSource | undefined> {
  const cache = platform.cache ?? browserCache();
  if (!cache) return undefined;
  const source = vgg19Weights({ cache, mirrors: platform.mirrors, offline: true });
  try {
    const read = await source.read(layers, { signal, onWarning });
    const has = (layer: ConvLayer) => read.has(layer);
    return {
      ...source,
      read: async (wanted, reading) => (wanted.every(has) ? read : source.read(wanted, reading)),
    };
  } catch (error) {
    if (error instanceof WeightsError) return undefined;
    throw error;
  }
}

async function embeddedFor(layers: readonly ConvLayer[]): Promise<WeightSource> {
  const { embeddedWeights } = await import('./embedded');
  const missing = layers.find((layer) => embeddedWeights.layers && !embeddedWeights.layers.includes(layer));
  if (!missing) return embeddedWeights;
  throw new WeightsError(
    'MISSING_LAYER',
    `${missing} is not in the small network of this package (${embeddedWeights.layers?.join(', ')}), and no weights were given. ` +
      "weights: 'vgg19' fetches VGG-19 and keeps it.",
    { option: 'weights', value: undefined, accepted: embeddedWeights.layers },
  );
}

/** Whether a value is a {@link WeightSource}. */
function isWeightSource(value: unknown): value is WeightSource {
  if (typeof value !== 'object' || value === null) return false;
  const { read, convention } = value as Partial<WeightSource>;
  return typeof read === 'function' && (convention === 'caffe' || convention === 'torchvision');
}
