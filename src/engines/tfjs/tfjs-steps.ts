import * as tf from '@tensorflow/tfjs-core';
import { requireMemory } from '../../allocation';
import { type ConvStep, convolutionWeights, type NamedTensors } from '../../features/network';
import { owning } from '../../owning';
import { foldBorder, withBorder } from './border';

/**
 * How a convolution's gradient with respect to its input is computed: `'flipped'`, as a forward convolution with the
 * filter reversed in both spatial axes and its channels swapped, or `'kernel'`, by the backend's own.
 */
export type InputGradient = 'flipped' | 'kernel';

/** A frozen 3x3 convolution, stride 1, padding 1. */
export interface Convolution {
  /** With bias, and the ReLU after it if `relu`. */
  apply(x: tf.Tensor4D, relu: boolean): tf.Tensor4D;
  /** The gradient with respect to an input of this shape. */
  inputGradient(gradient: tf.Tensor4D, inputShape: number[]): tf.Tensor4D;
  dispose(): void;
}

/**
 * Puts a convolution's weights on the active backend.
 *
 * @param how by default, the way that was measured to be faster there
 */
export function createConvolution(
  step: ConvStep,
  weights: NamedTensors,
  how: InputGradient = fastestInputGradient(tf.getBackend()),
): Convolution {
  const found = convolutionWeights(step, weights);
  const { padding = 'zero' } = step;
  const { filter, bias, flipped } = owning(({ result }) => {
    const filter = tf.keep(result(tf.tensor4d(found.kernel, [3, 3, step.channelsIn, step.channelsOut])));
    const bias = tf.keep(result(tf.tensor1d(found.bias)));
    const flipped =
      how === 'flipped'
        ? tf.tidy(() => tf.keep(tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2])))
        : undefined;
    return { filter, bias, flipped };
  });
  return {
    apply(x, relu) {
      requireConvolutionMemory(x, filter);
      const activation = relu ? 'relu' : 'linear';
      const convolve = (input: tf.Tensor4D, pad: 'same' | 'valid') =>
        tf.fused.conv2d({ x: input, filter, strides: 1, pad, bias, activation });
      return padding === 'zero'
        ? convolve(x, 'same')
        : tf.tidy(() => convolve(withBorder(x, padding), 'valid'));
    },
    inputGradient(gradient, inputShape) {
      requireConvolutionMemory(gradient, flipped ?? filter);
      const [one, height, width, channels] = inputShape;
      if (padding === 'zero')
        return flipped
          ? tf.conv2d(gradient, flipped, 1, 'same')
          : tf.conv2dTranspose(gradient, filter, [one, height, width, channels], 1, 'same');
      return tf.tidy(() => {
        // Of the input with its border, whose lines then go to those that they are copies of.
        const outer: tf.Tensor4D = flipped
          ? tf.conv2d(
              tf.pad(gradient, [
                [0, 0],
                [1, 1],
                [1, 1],
                [0, 0],
              ]),
              flipped,
              1,
              'same',
            )
          : tf.conv2dTranspose(gradient, filter, [one, height + 2, width + 2, channels], 1, 'valid');
        return foldBorder(outer, padding);
      });
    },
    dispose() {
      filter.dispose();
      bias.dispose();
      flipped?.dispose();
    },
  };
}

/**
 * XNNPACK's memory for a convolution in tfjs-wasm: the output, its packed filter, and nine 32-bit addresses for each
 * output position. If memory is exhausted, it reports no error and leaves the output unwritten.
 */
function requireConvolutionMemory({ shape: [, height, width] }: tf.Tensor4D, filter: tf.Tensor4D): void {
  requireMemory(4 * height * width * (filter.shape[3] + 9) + 4 * filter.size);
}

/**
 * tfjs-wasm's Conv2DBackpropInput is a scalar loop, 11 to 15 times slower than its forward convolution; the cpu
 * backend's loops cost the same either way. WebGL's flipped convolution takes two thirds of its kernel's time, WebGPU's
 * and tfjs-node's gain nothing.
 */
function fastestInputGradient(backend: string): InputGradient {
  return backend === 'webgpu' || backend === 'tensorflow' ? 'kernel' : 'flipped';
}

/** Passes the gradient where the ReLU's output, or its input, is positive. */
export function reluGradient(gradient: tf.Tensor4D, inputOrOutput: tf.Tensor4D): tf.Tensor4D {
  // On wasm comparisons are 30 times slower than `step`; in tfjs-node `step` is a chain of operations.
  const mask =
    tf.getBackend() === 'tensorflow'
      ? tf.cast(tf.greater(inputOrOutput, 0), 'float32')
      : tf.step(inputOrOutput);
  return tf.mul(gradient, mask);
}

/**
 * Passes the gradient to each window's maximum. Right on every backend for inputs that are not negative, as after a
 * ReLU.
 */
export function maxPoolGradient(gradient: tf.Tensor4D, input: tf.Tensor4D, output: tf.Tensor4D): tf.Tensor4D {
  return tf
    .engine()
    .runKernel(
      'MaxPoolGrad',
      { dy: gradient, input, output },
      { filterSize: 2, strides: 2, pad: 'valid' },
    ) as tf.Tensor4D;
}

/** Spreads the gradient evenly over each window; a last odd row or column, which no window covers, has gradient 0. */
export function averagePoolGradient(gradient: tf.Tensor4D, inputShape: number[]): tf.Tensor4D {
  const [, height, width] = gradient.shape;
  const spread = tf.image.resizeNearestNeighbor(tf.mul(gradient, 0.25) as tf.Tensor4D, [
    2 * height,
    2 * width,
  ]);
  const [, inputHeight, inputWidth] = inputShape;
  return tf.pad(spread, [
    [0, 0],
    [0, inputHeight - 2 * height],
    [0, inputWidth - 2 * width],
    [0, 0],
  ]);
}
