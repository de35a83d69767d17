import type * as tf from '@tensorflow/tfjs-core';
import { requireKnownOptions, requireName } from '../../options/validate';
import { type ByteStore, type Bytes, discardingWhatIsWrong, isByteStore } from '../../storage/byte-store';
import { ProgressMeter } from '../../storage/progress-meter';
import { type RemoteOptions, remoteOptionNames } from '../../storage/remote-options';
import { remoteStore } from '../../storage/remote-store';
import { ioHandlerName, isIOHandler, openIOHandler } from '../../weights/io-handler';
import { type ModelJson, parseModelJson, type StoredTensor, unsupportedType } from '../../weights/model-json';
import { readGroup } from '../../weights/shards';
import { decodeTensor } from '../../weights/tensor-encoding';
import { checkLayer, checkShape, layerShapes, missingLayer } from './check-layer';
import type { ConvLayer } from './layers';
import type { LayerWeights, ReadWeightsOptions, WeightConvention, WeightSource } from './source';

/** Options of {@link layersModelWeights}; those of the download matter for URLs only. */
export interface LayersModelOptions extends RemoteOptions {
  /**
   * What the weights expect of their input.
   * @default what the model.json says if `convertWeights` wrote it, else 'caffe': Keras' VGG-19 has the authors' own weights
   */
  readonly convention?: WeightConvention | undefined;
  /** For reports. @default `'VGG-19 from <location>'` */
  readonly name?: string | undefined;
}

/**
 * VGG-19 as a TensorFlow.js layers model: `model.json` and binary shards with Keras' names (`block1_conv1/kernel`), however the
 * weights are cut into shards, as float32, float16, uint8 or uint16 (tfjs' quantisation), or int8 per output channel
 * (`convertWeights`). Only the shards that hold the layers asked for are read; of large ones, only the bytes.
 *
 * @param location URL of a model.json or of its folder, a `tf.io.IOHandler`, or any folder of files
 * @throws InvalidArgumentError if the location is none of these; reading throws a `WeightsError`
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
  requireKnownOptions('layersModelWeights', options, ['convention', 'name', ...remoteOptionNames]);
  const { convention, name, ...remote } = options;
  if (convention !== undefined) requireName('convention', convention, ['caffe', 'torchvision']);
  if (isIOHandler(location))
    return new LayersModel(name ?? `VGG-19 from ${ioHandlerName}`, openIOHandler(location), convention);
  const store = isByteStore(location) ? location : remoteStore(location, remote, 'model.json');
  return new LayersModel(name ?? `VGG-19 from ${store.name}`, openModelJson(store), convention);
}

/** Reads the description of a model. Its shards are then read from the store. */
export type OpenModel = (
  options: ReadWeightsOptions,
) => Promise<{ readonly store: ByteStore; readonly model: ModelJson }>;

/** The topology of VGG-19 takes 20 KB, a manifest with int8 scales 100 KB. */
const maxModelJson = 2 ** 23;

const openModelJson =
  (store: ByteStore): OpenModel =>
  (options) =>
    discardingWhatIsWrong(store, async () => {
      const file = store.entry ?? 'model.json';
      const bytes = await store.read(file, maxModelJson, options);
      return { store, model: parseModelJson(new TextDecoder().decode(bytes), `${file} in ${store.name}`) };
    });

class LayersModel implements WeightSource {
  private declared: WeightConvention | undefined;

  constructor(
    readonly name: string,
    private readonly open: OpenModel,
    private readonly given: WeightConvention | undefined,
  ) {}

  get convention(): WeightConvention {
    return this.given ?? this.declared ?? 'caffe';
  }

  async read(
    layers: readonly ConvLayer[],
    options: ReadWeightsOptions = {},
  ): Promise<ReadonlyMap<ConvLayer, LayerWeights>> {
    const { signal, onWarning } = options;
    const { store, model } = await this.open({ signal, onWarning });
    return discardingWhatIsWrong(store, () => this.readFrom(store, model, layers, options));
  }

  private async readFrom(
    store: ByteStore,
    model: ModelJson,
    layers: readonly ConvLayer[],
    options: ReadWeightsOptions,
  ): Promise<ReadonlyMap<ConvLayer, LayerWeights>> {
    const { signal, onWarning } = options;
    this.declared = model.convention;
    const located = layers.map((layer) => locateLayer(layer, model, this.name));
    const tensors = new Set(located.flatMap(({ kernel, bias }) => [kernel, bias]));
    const meter = new ProgressMeter(options.onProgress, sumOfLengths(tensors));
    const values = new Map<StoredTensor, Float32Array>();
    for (const group of model.groups) {
      const wanted = group.tensors.filter((tensor) => tensors.has(tensor));
      if (wanted.length === 0) continue;
      for await (const [tensor, bytes] of readGroup(store, group, wanted, meter, { signal, onWarning }))
        values.set(tensor, decode(tensor, bytes, this.name));
    }
    const valuesOf = (tensor: StoredTensor) => values.get(tensor) ?? new Float32Array(0);
    return new Map(
      located.map(({ layer, kernel, bias }) => [
        layer,
        checkLayer(layer, { kernel: valuesOf(kernel), bias: valuesOf(bias) }, this.name),
      ]),
    );
  }
}

/** A layer's tensors in a model with Keras' names; a name may have the model's before it and `:0` after it. */
function locateLayer(layer: ConvLayer, model: ModelJson, source: string) {
  const [, block, index] = layer.match(/^conv(\d)_(\d)$/) ?? [];
  const all = model.groups.flatMap((group) => group.tensors);
  const find = (part: 'kernel' | 'bias') => {
    const name = `block${block}_conv${index}/${part}`;
    const tensor = all.find((tensor) => new RegExp(`(^|/)${name}(:0)?$`).test(tensor.name));
    if (!tensor) throw missingLayer(layer, source, convolutionsOf(all));
    checkShape(layer, part, tensor.shape, layerShapes(layer)[part], source);
    return tensor;
  };
  return { layer, kernel: find('kernel'), bias: find('bias') };
}

/** The convolutions that Keras' names tell of, for messages. */
function convolutionsOf(tensors: readonly StoredTensor[]): string[] {
  return tensors.flatMap(({ name }) => {
    const match = name.match(/block(\d)_conv(\d)\/kernel(:0)?$/);
    return match ? [`conv${match[1]}_${match[2]}`] : [];
  });
}

function decode(tensor: StoredTensor, bytes: Bytes, source: string): Float32Array {
  if (!tensor.encoding) throw unsupportedType(tensor.name, 'integers', source);
  return decodeTensor(bytes, tensor.encoding);
}

const sumOfLengths = (tensors: Iterable<StoredTensor>): number =>
  [...tensors].reduce((sum, { length }) => sum + length, 0);
