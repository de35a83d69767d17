import * as tf from '@tensorflow/tfjs-core';
import { requireMemory } from '../../../allocation';
import { around, linesOf } from './pads';

/** Convolution without padding, and what it is the linear function of: input and kernel [size, size, in, out]. */
export function convolve(input: tf.Tensor4D, kernel: tf.Tensor4D, stride: number): tf.Tensor4D {
  requireConvolutionMemory(input, kernel);
  return tf.conv2d(input, kernel, stride, 'valid');
}

/** The gradient of {@link convolve} with respect to an input of this shape. */
export function inputGradient(
  gradient: tf.Tensor4D,
  kernel: tf.Tensor4D,
  stride: number,
  shape: readonly number[],
): tf.Tensor4D {
  const [one, height, width, channels] = shape;
  // tfjs-wasm's Conv2DBackpropInput is a scalar loop, more than ten times slower than its forward convolution.
  if (stride !== 1 || tf.getBackend() !== 'wasm')
    return tf.conv2dTranspose(gradient, kernel, [one, height, width, channels], stride, 'valid');
  const border = kernel.shape[0] - 1;
  const flipped: tf.Tensor4D = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
  return convolve(tf.pad(gradient, around([1, 2], [border, border])), flipped, 1);
}

/** The gradient of {@link convolve} with respect to the kernel. */
export function kernelGradient(
  input: tf.Tensor4D,
  gradient: tf.Tensor4D,
  stride: number,
  shape: readonly [size: number, size: number, channelsIn: number, channelsOut: number],
): tf.Tensor4D {
  if (tf.getKernel('Conv2DBackpropFilter', tf.getBackend()))
    return tf
      .engine()
      .runKernel(
        'Conv2DBackpropFilter',
        { x: input, dy: gradient },
        { strides: [stride, stride], pad: 'valid', dataFormat: 'NHWC', filterShape: [...shape] },
      ) as tf.Tensor4D;
  // tfjs-wasm has no such kernel. The input's channels as a batch, convolved with the gradient as a kernel of one
  // channel, whose positions are `stride` apart, are the same sums.
  const [size, , channelsIn, channelsOut] = shape;
  const maps: tf.Tensor4D = tf.transpose(input, [3, 1, 2, 0]);
  const [, height, width] = gradient.shape;
  const filter: tf.Tensor4D = tf.reshape(gradient, [height, width, 1, channelsOut]);
  requireMemory(
    4 * (channelsIn * size * size * channelsOut + (size * size + 2 * channelsOut) * height * width),
  );
  const sums = tf.conv2d(maps, filter, 1, 'valid', 'NHWC', stride);
  return tf.transpose(linesOf(linesOf(sums, 1, 0, size), 2, 0, size), [1, 2, 0, 3]);
}

/**
 * XNNPACK's memory for a convolution in tfjs-wasm: the output, its packed kernel, and an address for each position of
 * the kernel at each output position. If memory is exhausted, it reports no error and leaves the output unwritten.
 */
function requireConvolutionMemory({ shape: [, height, width] }: tf.Tensor4D, kernel: tf.Tensor4D): void {
  const [size, , , channelsOut] = kernel.shape;
  requireMemory(4 * height * width * (channelsOut + size * size) + 4 * kernel.size);
}
