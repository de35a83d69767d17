import { WeightsError } from '../../errors';
import { discardingWrongContents } from '../../storage/byte-store';
import {
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

/** What a {@link TensorSource} is made of. */
export interface TensorSourceOptions {
  readonly name: string;
  readonly naming: Naming;
  readonly open: OpenTensorFile;
  /** What the weights expect of their input. @default what the file says, else `usualConvention` */
  readonly convention?: WeightConvention | undefined;
  readonly usualConvention: WeightConvention;
}

/** VGG-19 in a file of named tensors. */
export class TensorSource implements WeightSource {
  readonly name: string;
  private declared: WeightConvention | undefined;

  constructor(private readonly options: TensorSourceOptions) {
    this.name = options.name;
  }

  get convention(): WeightConvention {
    return this.options.convention ?? this.declared ?? this.options.usualConvention;
  }

  async read(
    layers: readonly ConvLayer[],
    { signal, onProgress, onWarning }: ReadWeightsOptions = {},
  ): Promise<LayersWeights> {
    const options = { signal, onProgress, onWarning };
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.readOnce(layers, options);
      } catch (error) {
        // A file that was replaced while it was read is read again from its start.
        if (attempt === 3 || !(error instanceof WeightsError && error.code === 'FILE_CHANGED')) throw error;
      }
    }
  }

  private async readOnce(layers: readonly ConvLayer[], options: ReadWeightsOptions): Promise<LayersWeights> {
    const { signal, onWarning } = options;
    const file = await this.options.open({ signal, onWarning });
    return discardingWrongContents(file.store, async () => {
      requireVgg19(file, this.name);
      this.declared = weightConventions.find((convention) => convention === file.convention);
      const located = layers.map((layer) => ({
        layer,
        kernel: this.locate(layer, 'kernel', file),
        bias: this.locate(layer, 'bias', file),
      }));
      const wanted = new Set(located.flatMap(({ kernel, bias }) => [kernel, bias]));
      const tensors = await readTensors(file, [...wanted], this.name, options);
      const weights = new Map(
        located.map(({ layer, kernel, bias }) => {
          const [stored, { values }] = [kernel, bias].map(({ name }) => tensors.get(name) ?? noTensor);
          return [layer, { kernel: this.options.naming.toHwio(stored), bias: values }];
        }),
      );
      return checkedLayers(layers, (layer) => weights.get(layer), this.name, []);
    });
  }

  private locate(layer: ConvLayer, part: LayerPart, file: TensorFile): StoredTensor {
    const { naming } = this.options;
    const tensor = this.find(layer, part, file);
    if (!tensor) {
      const layers = vgg19Convolutions.map(({ name }) => name);
      const has = layers.filter((name) => this.find(name, 'kernel', file));
      throw missingLayer(layer, this.name, has);
    }
    const expected = part === 'kernel' ? naming.kernelShape(layer) : layerShapes(layer).bias;
    checkShape(layer, part, tensor, expected, this.name);
    return tensor;
  }

  /** A tensor by the name of its layer; the network's name may stand before it, and TensorFlow's `:0` after it. */
  private find(layer: ConvLayer, part: LayerPart, { tensors }: TensorFile): StoredTensor | undefined {
    const name = this.options.naming.nameOf(layer, part);
    const exact = tensors.get(name);
    if (exact) return exact;
    const isNamed = (full: string) => full === name || full.endsWith(`/${name}`) || full.endsWith(`.${name}`);
    return [...tensors.values()].find((tensor) => isNamed(tensor.name.replace(/:0$/, '')));
  }
}

const noTensor = { shape: [], values: new Float32Array(0) };
