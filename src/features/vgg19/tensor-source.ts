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
import { checkedLayers, checkShape, type LayerPart, layerShapes, missingLayer } from './check-layer';
import { type ConvLayer, vgg19Convolutions } from './layers';
import type { Naming } from './naming';
import { requireVgg19 } from './other-networks';
import { type LayersWeights, type WeightConvention, type WeightSource, weightConventions } from './source';

/** Options of {@link tensorSource}. */
export interface TensorSourceOptions {
  readonly name: string;
  readonly naming: Naming;
  readonly open: OpenTensorFile;
  /** Where the file is: its cache forgets what turns out to be wrong. */
  readonly store?: ByteStore | undefined;
  /** Input convention of the weights. @default as stated in the file, else `usualConvention` */
  readonly convention?: WeightConvention | undefined;
  readonly usualConvention: WeightConvention;
}

/** VGG-19 in a file of named tensors. */
export function tensorSource(options: TensorSourceOptions): WeightSource {
  const { name, usualConvention } = options;
  let declared: WeightConvention | undefined;

  async function readOnce(layers: readonly ConvLayer[], reading: ReadWeightsOptions): Promise<LayersWeights> {
    const { signal, onWarning } = reading;
    const file = await options.open({ signal, onWarning });
    requireVgg19(file, name);
    declared = weightConventions.find((convention) => convention === file.convention);
    const located = new Map(layers.map((layer) => [layer, locate(layer, file, options)]));
    const wanted = new Set([...located.values()].flatMap(({ kernel, bias }) => [kernel, bias]));
    const tensors = await readTensors(file, [...wanted], name, reading);
    const weights = new Map(
      Array.from(located, ([layer, { kernel, bias }]) => {
        const [stored, { values }] = [kernel, bias].map((tensor) => tensors.get(tensor.name) as NamedTensor);
        return [layer, { kernel: options.naming.toHwio(stored), bias: values }];
      }),
    );
    return checkedLayers(layers, (layer) => weights.get(layer), name, []);
  }

  return {
    name,
    get convention() {
      return options.convention ?? declared ?? usualConvention;
    },
    async read(layers, { signal, onProgress, onWarning } = {}) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await readOnce(layers, { signal, onProgress, onWarning });
        } catch (error) {
          if (!(error instanceof WeightsError)) throw error;
          if (wrongContents.has(error.code)) await options.store?.discard?.();
          // A file that was replaced while it was read is read again from its start.
          if (attempt === 3 || error.code !== 'FILE_CHANGED') throw error;
        }
      }
    },
  };
}

/** A layer's tensors in a file, of the right shapes. */
function locate(layer: ConvLayer, file: TensorFile, { naming, name: source }: TensorSourceOptions) {
  const find = (wanted: ConvLayer, part: LayerPart): StoredTensor | undefined =>
    named(naming.nameOf(wanted, part), file);
  const tensorOf = (part: LayerPart): StoredTensor => {
    const tensor = find(layer, part);
    if (!tensor) {
      const layers = vgg19Convolutions.map(({ name }) => name);
      throw missingLayer(
        layer,
        source,
        layers.filter((name) => find(name, 'kernel')),
      );
    }
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
