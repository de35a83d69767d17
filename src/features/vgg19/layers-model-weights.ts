import type * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../../errors';
import { any, oneOf, optionTable } from '../../options/table';
import { type ByteStore, isByteStore } from '../../storage/byte-store';
import { type RemoteOptions, remoteOptions } from '../../storage/remote-options';
import { remoteStore } from '../../storage/remote-store';
import { ioHandlerName, isIOHandler, openIOHandler } from '../../weights/io-handler';
import { openLayersModel } from '../../weights/layers-model';
import { kerasNaming } from './naming';
import { type WeightConvention, type WeightSource, weightConventions } from './source';
import { tensorSource } from './tensor-source';
import { requireWeightKind } from './weight-kinds';

/** Options of {@link layersModelWeights}; the download options are for URLs only. */
export interface LayersModelOptions extends RemoteOptions {
  /**
   * Input convention of the weights. @default as stated in a model.json by `convertWeights`, else 'caffe': Keras'
   * VGG-19 has the authors' own weights
   */
  readonly convention?: WeightConvention | undefined;
  /** Name in reports. @default `'VGG-19 from <location>'` */
  readonly name?: string | undefined;
}

/** The options that every source of files has. */
export const sourceOptions = {
  convention: oneOf(weightConventions, {}),
  name: any<string>('a text', (value) => typeof value === 'string'),
};

/** Throws if a download option is given for a location that is not on a server, where it would have no effect. */
export function requireNoDownloadOptions(caller: string, given: object): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || !Object.hasOwn(remoteOptions, name)) continue;
    const accepted = 'only with a URL';
    const message = `${name} of ${caller} has no effect on weights that are not downloaded; accepted: ${accepted}.`;
    throw new InvalidArgumentError('CONFLICTING_OPTIONS', message, { option: name, value, accepted });
  }
}

const layersModelOptions = optionTable<LayersModelOptions>()('layersModelWeights', {
  ...sourceOptions,
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
  const { convention, name } = settings;
  const source = { convention, usualConvention: 'caffe', naming: kerasNaming } as const;
  if (isIOHandler(location) || isByteStore(location)) requireNoDownloadOptions('layersModelWeights', options);
  if (isIOHandler(location)) {
    const open = openIOHandler(location);
    return tensorSource({ ...source, name: name ?? `VGG-19 from ${ioHandlerName}`, open });
  }
  if (typeof location === 'string' || location instanceof URL) requireWeightKind(location);
  const store = isByteStore(location) ? location : remoteStore(location, settings, 'model.json');
  const open = openLayersModel(store);
  return tensorSource({ ...source, name: name ?? `VGG-19 from ${store.name}`, open, store });
}
