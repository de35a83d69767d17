import * as tf from '@tensorflow/tfjs-core';
import { lumaWeights } from './grey';
import { channelPlanes, heightWidthChannels, type ImageTensor, type Plane } from './planes';
import { ssimOfPlanes, ssimWithGradientOfPlanes } from './ssim-of-planes';
import type { SsimSettings } from './ssim-window';

/**
 * SSIM in double precision, outside of tfjs: for backends whose tensors can be read at once. tfjs-wasm would copy the
 * image for each weight of a window.
 */
export function ssimOnHost(a: ImageTensor, b: ImageTensor, settings: SsimSettings): tf.Scalar {
  const { channels, dataRange, window } = settings;
  /** Calls `compute` for each plane of two images. */
  const forPlanes = <T>(x: ImageTensor, y: ImageTensor, compute: (x: Plane, y: Plane) => T): T[] => {
    const [planes, others] = [x, y].map(channels === 'luma' ? greyPlane : planesOfTensor);
    return planes.map((plane, p) => compute(plane, others[p]));
  };
  // tfjs records no operations: the gradient will not be asked for.
  if (!tf.engine().isTapeOn()) {
    return tf.scalar(meanOf(forPlanes(a, b, (x, y) => ssimOfPlanes(x, y, window, dataRange))));
  }
  const compute = tf.customGrad((...inputs) => {
    const [x, y] = inputs as ImageTensor[];
    const found = forPlanes(x, y, (p, q) => ssimWithGradientOfPlanes(p, q, window, dataRange));
    const gradFunc = (dy: tf.Scalar): tf.Tensor[] => {
      const share = dy.dataSync()[0] / found.length;
      return [found.map(({ byA }) => byA), found.map(({ byB }) => byB)].map((ofPlanes) => {
        const ofChannels =
          channels === 'luma'
            ? lumaWeights.map((weight) => ({ values: ofPlanes[0], factor: weight * share }))
            : ofPlanes.map((values) => ({ values, factor: share }));
        return tf.tensor(interleaved(ofChannels), a.shape);
      });
    };
    return { value: tf.scalar(meanOf(found)), gradFunc };
  });
  return tf.tidy(() => compute(a, b) as tf.Scalar);
}

const meanOf = (found: readonly { readonly similarity: number }[]) =>
  found.reduce((sum, { similarity }) => sum + similarity, 0) / found.length;

const planesOfTensor = (image: ImageTensor) =>
  channelPlanes(image.dataSync(), heightWidthChannels(image.shape));

/** The grey of a tensor of red, green and blue, which is not rounded. */
function greyPlane(image: ImageTensor): Plane[] {
  const [height, width] = heightWidthChannels(image.shape);
  const [red, green, blue] = lumaWeights;
  const pixels = image.dataSync();
  const values = new Float64Array(width * height);
  for (let i = 0; i < values.length; i++)
    values[i] = red * pixels[3 * i] + green * pixels[3 * i + 1] + blue * pixels[3 * i + 2];
  return [{ values, width, height }];
}

/** Row-major pixels, of which each channel is a plane times a factor. */
function interleaved(channels: readonly { readonly values: Float32Array; readonly factor: number }[]) {
  const depth = channels.length;
  const pixels = new Float32Array(depth * channels[0].values.length);
  channels.forEach(({ values, factor }, channel) => {
    for (let i = 0; i < values.length; i++) pixels[depth * i + channel] = factor * values[i];
  });
  return pixels;
}
