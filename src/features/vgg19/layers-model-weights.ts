import type * as tf from '@tensorflow/tfjs-core';
import { optionTable } from '../../options/table';
import type { ByteStore } from '../../storage/byte-store';
import { type RemoteOptions, remoteOptions } from '../../storage/remote-options';
import { ioHandlerName, isIOHandler, openIOHandler } from '../../weights/io-handler';
import { openLayersModel } from '../../weights/layers-model';
import { type FileSourceOptions, fileSourceOptions, requireNoDownloadOptions, storeOf } from './file-source';
import { kerasNaming } from './naming';
import type { WeightSource } from './source';
import { tensorSource } from './tensor-source';

/** Options of {@link layersModelWeights}; the download options are for URLs only. */
export interface LayersModelOptions extends RemoteOptions, FileSourceOptions {}

const layersModelOptions = optionTable<LayersModelOptions>()('layersModelWeights', {
  ...fileSourceOptions,
  ...remoteOptions,
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
