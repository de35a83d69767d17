import type * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../../errors';
import { any, oneOf, optionTable } from '../../options/table';
import { type ByteStore, isByteStore } from '../../storage/byte-store';
import { downloadOptions, type RemoteOptions, remoteOptions } from '../../storage/remote-options';
import { type RemoteSettings, remoteStore } from '../../storage/remote-store';
import { ioHandlerName, isIOHandler, openIOHandler } from '../../weights/io-handler';
import { openLayersModel } from '../../weights/layers-model';
import { openSafetensors } from '../../weights/safetensors';
import { kerasNaming, torchNaming } from './naming';
import { type WeightSource, weightConventions } from './source';
import { type FileSourceOptions, tensorSource } from './tensor-source';
import { requireWeightKind } from './weight-kinds';

/** Options of {@link layersModelWeights}; the download options are for URLs only. */
export interface LayersModelOptions extends RemoteOptions, FileSourceOptions {}

/** Options of {@link safetensorsWeights}; the download options are for URLs only. */
export interface SafetensorsOptions extends Omit<RemoteOptions, 'sha256'>, FileSourceOptions {}

/** {@link FileSourceOptions}. */
export const fileSourceOptions = {
  convention: oneOf(weightConventions, {}),
  name: any<string>('a text', (value) => typeof value === 'string'),
};
const layersModelOptions = optionTable<LayersModelOptions>()('layersModelWeights', {
  ...fileSourceOptions,
  ...remoteOptions,
});
const safetensorsOptions = optionTable<SafetensorsOptions>()('safetensorsWeights', {
  ...fileSourceOptions,
  ...downloadOptions,
});

/**
 * VGG-19 as a TensorFlow.js layers model: `model.json` and binary shards with Keras' names (`block1_conv1/kernel`),
 * cut into shards in any way, as float32, float16, uint8 or uint16 (tfjs' quantisation), or int8 per output channel
 * (`convertWeights`). The shards of a group are read from the first to the last that a requested layer is in.
 *
 * @param location URL of a model.json or of its folder, a `tf.io.IOHandler`, or any folder of files
 * @throws InvalidArgumentError if the location is none of these or an option is wrong; reading throws a `WeightsError`
 * @example
 * ```ts
 * const source = layersModelWeights('https://example.com/vgg19/model.json');
 * const weights = await source.read(['conv1_1', 'conv1_2']);
 * ```
 */
export function layersModelWeights(
  location: string | URL | tf.io.IOHandler | ByteStore,
  options: LayersModelOptions = {},
): WeightSource {
  const settings = layersModelOptions.read(options);
  const caller = 'layersModelWeights';
  if (isIOHandler(location)) {
    requireNoDownloadOptions(caller, options);
    return tensorSource(ioHandlerName, openIOHandler(location), kerasNaming, settings);
  }
  const store = storeOf(caller, location, options, settings, 'model.json');
  return tensorSource(store.name, openLayersModel(store), kerasNaming, settings, store);
}

/**
 * VGG-19 in a `.safetensors` file with torchvision's names (`features.0.weight`, OIHW) in F32, F16 or BF16. Of a file
 * on a server only the header and the requested layers are fetched (HTTP Range), all from one version of the file; if
 * the server ignores Range or names no version (ETag, Last-Modified), the file is read up to the last requested layer.
 *
 * @param location URL of the file, or a folder of files that names one
 * @throws InvalidArgumentError if the location is none of these or an option is wrong; reading throws a `WeightsError`
 * @example
 * ```ts
 * const source = safetensorsWeights('https://huggingface.co/timm/vgg19.tv_in1k/resolve/main/model.safetensors');
 * ```
 */
export function safetensorsWeights(
  location: string | URL | ByteStore,
  options: SafetensorsOptions = {},
): WeightSource {
  const settings = safetensorsOptions.read(options);
  const store = storeOf('safetensorsWeights', location, options, settings, 'model.safetensors');
  return tensorSource(store.name, openSafetensors(store), torchNaming, settings, store);
}

/** The store for a location. @param given the options as the caller gave them; `entry`: the file of a remote folder */
function storeOf(
  caller: string,
  location: string | URL | ByteStore,
  given: object,
  settings: RemoteSettings,
  entry: string,
): ByteStore {
  if (isByteStore(location)) {
    requireNoDownloadOptions(caller, given);
    return location;
  }
  requireWeightKind(location);
  return remoteStore(location, settings, entry);
}

/** Throws if a download option is given for a location that is not on a server, where it would have no effect. */
function requireNoDownloadOptions(caller: string, given: object): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || !Object.hasOwn(remoteOptions, name)) continue;
    const accepted = 'only with a URL';
    const message = `${name} of ${caller} has no effect on weights that are not downloaded; accepted: ${accepted}.`;
    throw new InvalidArgumentError('CONFLICTING_OPTIONS', message, { option: name, value, accepted });
  }
}
