import { WeightsError } from '../../errors';
import type { ByteStore } from '../../storage/byte-store';
import {
  type NamedTensor,
  type OpenTensorFile,
  type ReadWeightsOptions,
  readTensors,
  type StoredTensor,
  type TensorFile,
} from '../../weights/tensor-file';
import { checkLayer, checkShape, type LayerPart, layerShapes, missingLayer } from './check-layers';
import { type ConvLayer, vgg19Convolutions } from './layers';
import type { Naming } from './naming';
import { requireVgg19 } from './other-networks';
import { type LayersWeights, type WeightConvention, type WeightSource, weightConventions } from './source';

/** Options of every source that reads files. */
export interface FileSourceOptions {
  /**
   * Input convention of the weights: colour order, scale and mean. @default as stated in the file; else 'caffe' for a
   * tfjs model, because Keras' VGG-19 has the authors' own weights, and 'torchvision' for safetensors
   */
  readonly convention?: WeightConvention | undefined;
  /** Name in reports. @default `'VGG-19 from <location>'` */
  readonly name?: string | undefined;
}

/**
 * VGG-19 in a file of named tensors.
 * @param location name for reports, unless the options have one
 * @param store where the file is: its cache forgets what turns out to be wrong
 */
export function tensorSource(
  location: string,
  open: OpenTensorFile,
  naming: Naming,
  options: FileSourceOptions,
  store?: ByteStore,
): WeightSource {
  const { convention, name = `VGG-19 from ${location}` } = options;
  let declared: WeightConvention | undefined;

  async function readOnce(layers: readonly ConvLayer[], reading: ReadWeightsOptions): Promise<LayersWeights> {
    const { signal, onWarning } = reading;
    const file = await open({ signal, onWarning });
    requireVgg19(file, name);
    declared = weightConventions.find((known) => known === file.convention);
    const located = [...new Set(layers)].map((layer) => locate(layer, file, naming, name));
    const stored = located.flatMap(({ kernel, bias }) => [kernel, bias]);
    const tensors = await readTensors(file, stored, name, reading);
    const read = (tensor: StoredTensor) => tensors.get(tensor) as NamedTensor;
    return new Map(
      located.map(({ layer, kernel, bias }) => {
        const weights = { kernel: naming.toHwio(read(kernel)), bias: read(bias).values };
        return [layer, checkLayer(layer, weights, name)];
      }),
    );
  }

  return {
    name,
    get convention() {
      return convention ?? declared ?? naming.usualConvention;
    },
    async read(layers, { signal, onProgress, onWarning } = {}) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await readOnce(layers, { signal, onProgress, onWarning });
        } catch (error) {
          if (!(error instanceof WeightsError)) throw error;
          if (wrongContents.has(error.code)) await store?.discard?.();
          // A file that was replaced while it was read is read again from its start.
          if (attempt === 3 || error.code !== 'FILE_CHANGED') throw error;
        }
      }
    },
  };
}

/** A layer's tensors in a file, of the right shapes. */
function locate(layer: ConvLayer, file: TensorFile, naming: Naming, source: string) {
  const has = (other: ConvLayer) => named(naming.nameOf(other, 'kernel'), file) !== undefined;
  const tensorOf = (part: LayerPart): StoredTensor => {
    const tensor = named(naming.nameOf(layer, part), file);
    if (!tensor) throw missingLayer(layer, source, vgg19Convolutions.map(({ name }) => name).filter(has));
    const expected = part === 'kernel' ? naming.kernelShape(layer) : layerShapes(layer).bias;
    checkShape(layer, part, tensor, expected, source);
    return tensor;
  };
  return { layer, kernel: tensorOf('kernel'), bias: tensorOf('bias') };
}

/** A tensor by the end of its name: the network's name may stand before it, and TensorFlow's `:0` after it. */
function named(name: string, { tensors }: TensorFile): StoredTensor | undefined {
  const isNamed = (full: string) => full === name || full.endsWith(`/${name}`) || full.endsWith(`.${name}`);
  return tensors.get(name) ?? [...tensors.values()].find((tensor) => isNamed(tensor.name.replace(/:0$/, '')));
}

/** Errors that say that a file's contents are not those of the weights. */
const wrongContents: ReadonlySet<string> = new Set([
  'FILE_CHANGED',
  'MALFORMED_WEIGHTS',
  'NOT_FINITE',
  'TRUNCATED',
  'UNSAFE_PATH',
  'UNSUPPORTED_DTYPE',
  'WRONG_NETWORK',
  'WRONG_SHAPE',
  'WRONG_SIZE',
]);
