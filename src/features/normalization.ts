import type { WeightConvention } from '../weights/source';

/** What turns an RGB image in [0,1] into a network's input, and a source's biases into those that fit it. */
export interface Normalization {
  /** Factor for R, G, B. */
  readonly scale: readonly [number, number, number];
  /** Added to R, G, B after the factor. */
  readonly offset: readonly [number, number, number];
  /** Order of the kernel's input channels: true where the first convolution expects B, G, R. */
  readonly bgr: boolean;
  /** Factor for every bias. */
  readonly biasScale: number;
}

/**
 * Caffe's input divided by this has the scale of torchvision's: 255 times the mean, 0.226, of torchvision's standard deviations.
 * ReLU and max-pooling are positively homogeneous, so the features are those of the original divided by it, exactly, and weights
 * published for torchvision's network (beta = 1e6) apply.
 */
const caffeUnit = 57.63;
/** Mean B, G, R of ImageNet as in the models of the authors of VGG (Simonyan & Zisserman 2015) and in Keras. */
const caffeMean = { b: 103.939, g: 116.779, r: 123.68 };
/** ImageNet's mean and standard deviation of R, G, B in [0,1], as torchvision's models expect them. */
const torchvisionMean = [0.485, 0.456, 0.406] as const;
const torchvisionDeviation = [0.229, 0.224, 0.225] as const;

/** How images are brought to what weights of a convention expect, and features to torchvision's scale. */
export const normalizations: Readonly<Record<WeightConvention, Normalization>> = {
  caffe: {
    scale: [255 / caffeUnit, 255 / caffeUnit, 255 / caffeUnit],
    offset: [-caffeMean.r / caffeUnit, -caffeMean.g / caffeUnit, -caffeMean.b / caffeUnit],
    bgr: true,
    biasScale: 1 / caffeUnit,
  },
  torchvision: {
    scale: [1 / torchvisionDeviation[0], 1 / torchvisionDeviation[1], 1 / torchvisionDeviation[2]],
    offset: [
      -torchvisionMean[0] / torchvisionDeviation[0],
      -torchvisionMean[1] / torchvisionDeviation[1],
      -torchvisionMean[2] / torchvisionDeviation[2],
    ],
    bgr: false,
    biasScale: 1,
  },
};
