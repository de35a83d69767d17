import { requireName } from '../../options/validate';
import type { LoadedNetwork, NamedTensor, NamedTensors, Network, NetworkStep } from '../network';
import { type Padding, paddings } from '../padding';
import { conventions } from './conventions';
import { type ConvLayer, layersUpTo, type Vgg19Layer, vgg19Convolutions } from './layers';
import type { LayerWeights, WeightConvention } from './source';

/** Pooling of a 2x2 window: its maximum (VGG as trained) or its mean (preferred by Gatys et al. 2016). */
export type Pooling = 'max' | 'average';

/** Options of {@link vgg19Network}. */
export interface Vgg19NetworkOptions {
  /** The network ends after this layer. */
  readonly lastLayer: Vgg19Layer;
  /** @default 'max' */
  readonly pooling?: Pooling | undefined;
  /** What the first convolution reads beyond the image's border. @default 'zero' */
  readonly padding?: Padding | undefined;
  /** Input convention of the weights. @default 'torchvision' */
  readonly convention?: WeightConvention | undefined;
}

/**
 * VGG-19's convolutional part as data, cut after a layer. Convolution `conv1_1` has tensors `conv1_1/kernel` and
 * `conv1_1/bias`.
 */
export function vgg19Network(options: Vgg19NetworkOptions): Network {
  const { lastLayer, pooling = 'max', padding = 'zero', convention = 'torchvision' } = options;
  requireName('pooling', pooling, ['max', 'average']);
  requireName('padding', padding, paddings);
  const steps = layersUpTo(lastLayer).map((name): NetworkStep => {
    const convolution = vgg19Convolutions.find((step) => step.name === name);
    if (convolution) {
      const tensors = { kernel: `${name}/kernel`, bias: `${name}/bias` };
      return { op: 'conv', ...convolution, ...tensors, padding: name === 'conv1_1' ? padding : 'zero' };
    }
    if (name.startsWith('relu')) return { op: 'relu', name };
    return { op: pooling === 'max' ? 'maxPool' : 'averagePool', name };
  });
  return { name: 'vgg19', input: conventions[convention].input, steps };
}

/**
 * The tensors of {@link vgg19Network} from a source's layers: the first kernel's channels in the order R, G,
 * B, biases on the scale of the convention's input. Other kernels are not copied.
 */
export function vgg19Tensors(
  weights: ReadonlyMap<ConvLayer, LayerWeights>,
  convention: WeightConvention,
): NamedTensors {
  const { bgr, biasScale } = conventions[convention];
  const tensors = new Map<string, NamedTensor>();
  for (const [layer, { kernel, bias }] of weights) {
    const [channelsIn, channelsOut] = [kernel.length / 9 / bias.length, bias.length];
    const values = bgr && layer === 'conv1_1' ? reversedInput(kernel, channelsOut) : kernel;
    tensors.set(`${layer}/kernel`, { shape: [3, 3, channelsIn, channelsOut], values });
    tensors.set(`${layer}/bias`, { shape: [channelsOut], values: bias.map((value) => value * biasScale) });
  }
  return tensors;
}

/** Options of {@link loadedVgg19}. */
export interface LoadedVgg19Options extends Vgg19NetworkOptions {
  /** Source of the weights, for reports. */
  readonly weightsName: string;
  /** Whether the weights are those of the small network of this package. */
  readonly embedded?: boolean | undefined;
}

/** VGG-19 with the weights of a source, ready for an engine. */
export function loadedVgg19(
  weights: ReadonlyMap<ConvLayer, LayerWeights>,
  { weightsName, embedded, ...options }: LoadedVgg19Options,
): LoadedNetwork {
  const tensors = vgg19Tensors(weights, options.convention ?? 'torchvision');
  return { network: vgg19Network(options), weights: tensors, weightsName, embedded };
}

/** A kernel [3, 3, 3, n] with its three input channels in reverse order. */
function reversedInput(kernel: Float32Array, n: number): Float32Array {
  return kernel.map((_, i) => {
    const channel = Math.floor(i / n) % 3;
    return kernel[i + (2 - 2 * channel) * n];
  });
}
