import type { Normalization } from '../network';
import type { WeightConvention } from './source';

/** The conversion of weights of a convention to a network with RGB input and features on torchvision's scale. */
export interface Convention {
  /** Normalisation that the first convolution expects, for R, G, B. */
  readonly input: Normalization;
  /** Order of the first kernel's input channels: true for B, G, R. */
  readonly bgr: boolean;
  /** Factor for every bias. */
  readonly biasScale: number;
}

/**
 * Caffe's input divided by this has the scale of torchvision's: 255 times the mean, 0.226, of torchvision's standard
 * deviations. ReLU and max-pooling are positively homogeneous, so the features are those of the original divided by it,
 * exactly, and weights published for torchvision's network (beta = 1e6) apply.
 */
const caffeUnit = 57.63;
/** Mean B, G, R of ImageNet as in the models of the authors of VGG (Simonyan & Zisserman 2015) and in Keras. */
const caffeMean = { b: 103.939, g: 116.779, r: 123.68 };
/** ImageNet's mean and standard deviation of R, G, B in [0,1], as torchvision's models expect them. */
const torchvisionMean = [0.485, 0.456, 0.406] as const;
const torchvisionDeviation = [0.229, 0.224, 0.225] as const;

/** The two conventions that published weights of VGG-19 follow. */
export const conventions: Readonly<Record<WeightConvention, Convention>> = {
  caffe: {
    input: {
      scale: [255 / caffeUnit, 255 / caffeUnit, 255 / caffeUnit],
      offset: [-caffeMean.r / caffeUnit, -caffeMean.g / caffeUnit, -caffeMean.b / caffeUnit],
    },
    bgr: true,
    biasScale: 1 / caffeUnit,
  },
  torchvision: {
    input: {
      scale: [1 / torchvisionDeviation[0], 1 / torchvisionDeviation[1], 1 / torchvisionDeviation[2]],
      offset: [
        -torchvisionMean[0] / torchvisionDeviation[0],
        -torchvisionMean[1] / torchvisionDeviation[1],
        -torchvisionMean[2] / torchvisionDeviation[2],
      ],
    },
    bgr: false,
    biasScale: 1,
  },
};
