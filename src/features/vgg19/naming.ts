import type { NamedTensor } from '../../weights/tensor-file';
import { type LayerPart, layerShapes } from './check-layers';
import { type ConvLayer, vgg19Layers } from './layers';
import type { WeightConvention } from './source';

/** The names of VGG-19's tensors and the order of a kernel's axes in a file format. */
export interface Naming {
  /** Input convention of the weights that are published under these names. */
  readonly usualConvention: WeightConvention;
  /** The end of a tensor's name; a prefix and a dot or slash may stand before it. */
  nameOf(layer: ConvLayer, part: LayerPart): string;
  /** Shape of a layer's kernel in the file. */
  kernelShape(layer: ConvLayer): readonly number[];
  /** A stored kernel in the order [height, width, in, out]. */
  toHwio(kernel: NamedTensor): Float32Array;
}

/** Keras and TensorFlow.js: `block1_conv1/kernel`, [height, width, in, out]. */
export const kerasNaming: Naming = {
  usualConvention: 'caffe',
  nameOf: (layer, part) => `${kerasLayer(layer)}/${part}`,
  kernelShape: (layer) => layerShapes(layer).kernel,
  toHwio: ({ values }) => values,
};

/** PyTorch and torchvision: `features.0.weight`, [out, in, height, width]. The number counts ReLUs and poolings too. */
export const torchNaming: Naming = {
  usualConvention: 'torchvision',
  nameOf: (layer, part) => `features.${vgg19Layers.indexOf(layer)}.${part === 'kernel' ? 'weight' : 'bias'}`,
  kernelShape(layer) {
    const [height, width, channelsIn, channelsOut] = layerShapes(layer).kernel;
    return [channelsOut, channelsIn, height, width];
  },
  toHwio({ values, shape: [out, into, height, width] }) {
    const result = new Float32Array(values.length);
    const area = height * width;
    for (let o = 0; o < out; o++)
      for (let i = 0; i < into; i++)
        for (let p = 0; p < area; p++) result[(p * into + i) * out + o] = values[(o * into + i) * area + p];
    return result;
  },
};

/** Keras' name of a convolution, `block1_conv1`. */
export const kerasLayer = (layer: ConvLayer): string => layer.replace(/^conv(\d)_(\d)$/, 'block$1_conv$2');
