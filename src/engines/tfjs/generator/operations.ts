import * as tf from '@tensorflow/tfjs-core';
import type {
  ActivationStep,
  GeneratorConvStep,
  GeneratorStep,
  InstanceNormStep,
  TransposedConvStep,
} from '../../../features/generator-network';
import { padsOf } from '../../../features/generator-steps';
import { columnMeans } from '../../../sums';
import { convolve, inputGradient, kernelGradient } from './convolutions';
import { around, foldPads, linesOf, padMap } from './pads';

/** An operation at its inputs. */
export interface Applied {
  readonly output: tf.Tensor4D;
  /** Tensors that {@link back} needs beside the inputs and the output. */
  readonly saved: readonly tf.Tensor[];
  /** From the gradient with respect to the output to those with respect to inputs and parameters. */
  back(gradient: tf.Tensor4D): Gradients;
}

/** Gradients of one operation. */
export interface Gradients {
  /** In the order of the inputs, to be called for those that are needed; none where values are not read. */
  readonly inputs: readonly (() => tf.Tensor4D)[];
  /** By name. */
  readonly parameters?: Readonly<Record<string, tf.Tensor>> | undefined;
}

/** What operations read beside their inputs. */
export interface Surroundings {
  parameter(name: string): tf.Tensor;
  /** Noise [1, height, width, channels] of the step. */
  noise(height: number, width: number, channels: number): tf.Tensor4D;
}

/** Applies a step; to be called in a scope that frees what is not returned. */
export function apply(
  step: GeneratorStep,
  inputs: readonly tf.Tensor4D[],
  surroundings: Surroundings,
): Applied {
  const [input, other] = inputs;
  switch (step.op) {
    case 'conv':
      return convolution(step, input, surroundings);
    case 'transposedConv':
      return transposedConvolution(step, input, surroundings);
    case 'instanceNorm':
      return instanceNorm(step, input, surroundings);
    case 'add':
      return linear(
        tf.add(input, other),
        (gradient) => gradient,
        (gradient) => gradient,
      );
    case 'concat': {
      const [first, second] = [input.shape[3], other.shape[3]];
      const part = (gradient: tf.Tensor4D, from: number, count: number) =>
        tf.slice4d(gradient, [0, 0, 0, from], [-1, -1, -1, count]);
      return linear(
        tf.concat([input, other], 3),
        (gradient) => part(gradient, 0, first),
        (gradient) => part(gradient, first, second),
      );
    }
    case 'upsample': {
      const [, height, width] = input.shape;
      return linear(tf.image.resizeNearestNeighbor(input, [2 * height, 2 * width]), (gradient) =>
        tf.mul(tf.avgPool(gradient, 2, 2, 'valid'), 4),
      );
    }
    case 'averagePool': {
      const { factor } = step;
      return linear(tf.avgPool(input, factor, factor, 'valid'), (gradient) =>
        enlarged(tf.mul(gradient, 1 / factor ** 2), factor),
      );
    }
    case 'noise': {
      const [, height, width] = input.shape;
      return linear(surroundings.noise(height, width, step.channels));
    }
    default:
      return activation(step, input);
  }
}

/** A linear operation without parameters. @param adjoints one for each input whose values are read */
const linear = (output: tf.Tensor4D, ...adjoints: ((gradient: tf.Tensor4D) => tf.Tensor4D)[]): Applied => ({
  output,
  saved: [],
  back: (gradient) => ({ inputs: adjoints.map((adjoint) => () => adjoint(gradient)) }),
});

function convolution(step: GeneratorConvStep, input: tf.Tensor4D, { parameter }: Surroundings): Applied {
  const { stride = 1, padding, kernel: name, bias } = step;
  const pads = padsOf(step);
  const kernel = parameter(name) as tf.Tensor4D;
  const outer = padMap(input, padding, pads);
  const sums = convolve(outer, kernel, stride);
  return {
    output: bias === undefined ? sums : tf.add(sums, parameter(bias)),
    // The input with its border is made again: it takes as much memory as the input, and hardly any time.
    saved: [],
    back: (gradient) => ({
      inputs: [() => foldPads(inputGradient(gradient, kernel, stride, outer.shape), padding, pads)],
      parameters: {
        [name]: kernelGradient(padMap(input, padding, pads), gradient, stride, kernel.shape),
        ...biasGradient(bias, gradient),
      },
    }),
  };
}

function transposedConvolution(
  step: TransposedConvStep,
  input: tf.Tensor4D,
  { parameter }: Surroundings,
): Applied {
  const { size, pad, kernel: name, bias } = step;
  const kernel = parameter(name) as tf.Tensor4D;
  const [one, height, width, channelsIn] = input.shape;
  // Spread over the whole map, of which twice the input's extent is the output.
  const whole = [2 * (height - 1) + size, 2 * (width - 1) + size] as const;
  const behind = size - 2 - pad;
  const spread = tf.conv2dTranspose(
    input,
    tf.transpose(kernel, [0, 1, 3, 2]),
    [one, ...whole, step.channelsOut],
    2,
    'valid',
  );
  const sums = linesOf(linesOf(spread, 1, pad, 2 * height), 2, pad, 2 * width);
  return {
    output: bias === undefined ? sums : tf.add(sums, parameter(bias)),
    saved: [],
    back(gradient) {
      const spreadGradient = tf.pad(gradient, around([1, 2], [pad, behind]));
      const ofKernel = kernelGradient(spreadGradient, input, 2, [size, size, step.channelsOut, channelsIn]);
      return {
        inputs: [() => convolve(spreadGradient, tf.transpose(kernel, [0, 1, 3, 2]), 2)],
        parameters: { [name]: tf.transpose(ofKernel, [0, 1, 3, 2]), ...biasGradient(bias, gradient) },
      };
    },
  };
}

const biasGradient = (bias: string | undefined, gradient: tf.Tensor4D): Record<string, tf.Tensor> =>
  bias === undefined ? {} : { [bias]: channelSums(gradient) };

function instanceNorm(step: InstanceNormStep, input: tf.Tensor4D, { parameter }: Surroundings): Applied {
  const { epsilon = 1e-5, scale: scaleName, shift } = step;
  const scale = parameter(scaleName);
  const centred: tf.Tensor4D = tf.sub(input, channelMeans(input));
  const factor = tf.rsqrt(tf.add(channelMeans(tf.square(centred)), epsilon));
  const normalized: tf.Tensor4D = tf.mul(centred, factor);
  return {
    output: tf.add(tf.mul(normalized, scale), parameter(shift)),
    saved: [normalized, factor],
    back(gradient) {
      const count = gradient.shape[1] * gradient.shape[2];
      const along = channelMeans(tf.mul(gradient, normalized));
      const mean = channelMeans(gradient);
      return {
        inputs: [
          () => {
            const across = tf.sub(tf.sub(gradient, mean), tf.mul(normalized, along));
            return tf.mul(across, tf.mul(factor, scale));
          },
        ],
        parameters: { [scaleName]: tf.mul(along, count), [shift]: tf.mul(mean, count) },
      };
    },
  };
}

function activation({ op, slope = 0.01 }: ActivationStep, input: tf.Tensor4D): Applied {
  const output = activations[op](input, slope);
  const inputGradient = (gradient: tf.Tensor4D): tf.Tensor4D =>
    tf.mul(gradient, derivatives[op](output, slope));
  return { output, saved: [], back: (gradient) => ({ inputs: [() => inputGradient(gradient)] }) };
}

type Activation = (x: tf.Tensor4D, slope: number) => tf.Tensor4D;

const activations: Readonly<Record<ActivationStep['op'], Activation>> = {
  relu: (x) => tf.relu(x),
  leakyRelu: (x, slope) => tf.leakyRelu(x, slope),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
};

/** As functions of the output. */
const derivatives: Readonly<Record<ActivationStep['op'], Activation>> = {
  relu: (y) => tf.step(y),
  leakyRelu: (y, slope) => tf.add(tf.mul(tf.step(y), 1 - slope), slope),
  sigmoid: (y) => tf.mul(y, tf.sub(1, y)),
  tanh: (y) => tf.sub(1, tf.square(y)),
};

/** Each value `factor` times in both directions. */
function enlarged(map: tf.Tensor4D, factor: number): tf.Tensor4D {
  const [one, height, width, channels] = map.shape;
  const rows = tf.tile(tf.reshape(map, [height, 1, width * channels]), [1, factor, 1]);
  const columns = tf.tile(tf.reshape(rows, [height * factor, width, 1, channels]), [1, 1, factor, 1]);
  return tf.reshape(columns, [one, height * factor, width * factor, channels]);
}

const channelMeans = (map: tf.Tensor4D): tf.Tensor2D => columnMeans(tf.reshape(map, [-1, map.shape[3]]));

const channelSums = (map: tf.Tensor4D): tf.Tensor => tf.mul(channelMeans(map), map.shape[1] * map.shape[2]);
