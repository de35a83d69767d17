import { requireKnownOptions, requireName } from '../../options/validate';
import {
  type ByteStore,
  type Bytes,
  discardingWhatIsWrong,
  isByteStore,
  type ReadBytesOptions,
} from '../../storage/byte-store';
import { ProgressMeter } from '../../storage/progress-meter';
import { type RemoteOptions, remoteOptionNames } from '../../storage/remote-options';
import { remoteStore } from '../../storage/remote-store';
import { type StoredTensor, unsupportedType } from '../../weights/model-json';
import { lengthBytes, parseHeader, parseHeaderLength } from '../../weights/safetensors-header';
import { decodeTensor } from '../../weights/tensor-encoding';
import { checkLayer, checkShape, layerShapes, missingLayer } from './check-layer';
import { type ConvLayer, vgg19Convolutions, vgg19Layers } from './layers';
import type { LayerWeights, ReadWeightsOptions, WeightConvention, WeightSource } from './source';

/** Options of {@link safetensorsWeights}; those of the download matter for URLs only. */
export interface SafetensorsOptions extends Omit<RemoteOptions, 'sha256'> {
  /** What the weights expect of their input. @default 'torchvision' */
  readonly convention?: WeightConvention | undefined;
  /** For reports. @default `'VGG-19 from <location>'` */
  readonly name?: string | undefined;
}

/**
 * VGG-19 in a `.safetensors` file with torchvision's names (`features.0.weight`, OIHW) in F32, F16 or BF16. Of a file on a server
 * only the header and the layers asked for are fetched (HTTP Range); a server that ignores Range is read up to the last of them.
 *
 * @param location URL of the file, or a folder of files that names one
 * @throws InvalidArgumentError if the location is none of these; reading throws a `WeightsError`
 * @example
 * ```ts
 * const source = safetensorsWeights('https://huggingface.co/timm/vgg19.tv_in1k/resolve/main/model.safetensors');
 * ```
 */
export function safetensorsWeights(
  location: string | URL | ByteStore,
  options: SafetensorsOptions = {},
): WeightSource {
  const remoteNames = remoteOptionNames.filter((name) => name !== 'sha256');
  requireKnownOptions('safetensorsWeights', options, ['convention', 'name', ...remoteNames]);
  const { convention = 'torchvision', name, ...remote } = options;
  requireName('convention', convention, ['caffe', 'torchvision']);
  const store = isByteStore(location) ? location : remoteStore(location, remote, 'model.safetensors');
  const source = name ?? `VGG-19 from ${store.name}`;
  return {
    name: source,
    convention,
    read: (layers, reading = {}) => discardingWhatIsWrong(store, () => read(store, source, layers, reading)),
  };
}

async function read(
  store: ByteStore,
  source: string,
  layers: readonly ConvLayer[],
  { signal, onProgress, onWarning }: ReadWeightsOptions,
): Promise<ReadonlyMap<ConvLayer, LayerWeights>> {
  const file = store.entry ?? 'model.safetensors';
  const reading: ReadBytesOptions = { signal, onWarning };
  const tensors = await readHeader(store, file, source, reading);
  const located = layers.map((layer) => locateLayer(layer, tensors, source));
  const wanted = [...new Set(located.flatMap(({ kernel, bias }) => [kernel, bias]))];
  wanted.sort((a, b) => a.offset - b.offset);
  const meter = new ProgressMeter(
    onProgress,
    wanted.reduce((sum, { length }) => sum + length, 0),
  );
  const values = new Map<StoredTensor, Float32Array>();
  const onBytes = (loaded: number) => meter.report(file, loaded);
  let next = 0;
  for await (const bytes of store.readRanges(file, wanted, { ...reading, onBytes })) {
    meter.finish(file, bytes.length);
    const tensor = wanted[next++];
    values.set(tensor, decode(tensor, bytes, source));
  }
  const valuesOf = (tensor: StoredTensor) => values.get(tensor) ?? new Float32Array(0);
  return new Map(
    located.map(({ layer, kernel, bias }) => [
      layer,
      checkLayer(layer, { kernel: valuesOf(kernel), bias: valuesOf(bias) }, source),
    ]),
  );
}

async function readHeader(
  store: ByteStore,
  file: string,
  source: string,
  reading: ReadBytesOptions,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const readRange = async (offset: number, length: number): Promise<Bytes> => {
    for await (const bytes of store.readRanges(file, [{ offset, length }], reading)) return bytes;
    return new Uint8Array(length);
  };
  const length = parseHeaderLength(await readRange(0, lengthBytes), source);
  // A server may not know; there, a tensor beyond the end fails when it is read.
  const fileBytes = store.prefersWhole(file, undefined) ? undefined : await store.size(file, reading);
  return parseHeader(await readRange(lengthBytes, length), source, fileBytes);
}

/** A layer's tensors; torchvision numbers all of a network's steps, activations and poolings included. */
function locateLayer(layer: ConvLayer, tensors: ReadonlyMap<string, StoredTensor>, source: string) {
  const find = (part: 'kernel' | 'bias') => {
    const name = tensorName(layer, part);
    const found =
      tensors.get(name) ?? [...tensors.values()].find((tensor) => tensor.name.endsWith(`.${name}`));
    if (!found) throw missingLayer(layer, source, convolutionsOf(tensors));
    const [height, width, channelsIn, channelsOut] = layerShapes(layer).kernel;
    const expected = part === 'kernel' ? [channelsOut, channelsIn, height, width] : [channelsOut];
    checkShape(layer, part, found.shape, expected, source);
    return found;
  };
  return { layer, kernel: find('kernel'), bias: find('bias') };
}

const tensorName = (layer: ConvLayer, part: 'kernel' | 'bias'): string =>
  `features.${vgg19Layers.indexOf(layer)}.${part === 'kernel' ? 'weight' : 'bias'}`;

/** The convolutions that torchvision's names tell of, for messages. */
function convolutionsOf(tensors: ReadonlyMap<string, StoredTensor>): string[] {
  const names = [...tensors.keys()];
  return vgg19Convolutions
    .map(({ name }) => name)
    .filter((layer) => names.some((name) => `.${name}`.endsWith(`.${tensorName(layer, 'kernel')}`)));
}

function decode(tensor: StoredTensor, bytes: Bytes, source: string): Float32Array {
  if (!tensor.encoding) throw unsupportedType(tensor.name, 'another type', source);
  const values = decodeTensor(bytes, tensor.encoding);
  return tensor.shape.length === 4 ? kernelToHwio(values, tensor.shape) : values;
}

/** PyTorch's order of a kernel [out, in, height, width] to tfjs' [height, width, in, out]. */
function kernelToHwio(values: Float32Array, [out, into, height, width]: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  const area = height * width;
  for (let o = 0; o < out; o++)
    for (let i = 0; i < into; i++)
      for (let p = 0; p < area; p++) result[(p * into + i) * out + o] = values[(o * into + i) * area + p];
  return result;
}
