import * as tf from '@tensorflow/tfjs-core';
import { gpuBackend } from './gpu';

/** The largest tensors that the active backend holds. */
export interface TensorLimit {
  /** The limit, for messages: `'textures of at most 8192 x 8192 pixels'`. */
  readonly what: string;
  /**
   * Whether it holds a feature map [height, width, channels].
   * @param convolved whether a 3x3 convolution reads it
   */
  holds(height: number, width: number, channels: number, convolved: boolean): boolean;
}

/** The {@link TensorLimit} of a GPU's backend; undefined where only memory as a whole is limited. */
export function tensorLimit(): TensorLimit | undefined {
  const { gpgpu, device } = gpuBackend();
  if (gpgpu?.gl) return textureLimit();
  if (device) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    const bytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    return {
      what: `buffers of at most ${Math.floor(bytes / 2 ** 20)} MiB`,
      holds: (height, width, channels) => 4 * height * width * channels <= bytes,
    };
  }
  return undefined;
}

/**
 * The webgl backend makes a texture of each tensor, as square as its number of pixels can be divided, and by default
 * computes a convolution as a product with a matrix that has all 9 neighbours of each position, four values a pixel.
 */
function textureLimit(): TensorLimit {
  const env = tf.env();
  const most = env.getNumber('WEBGL_MAX_TEXTURE_SIZE');
  const isTexture = (pixels: number) => Math.max(...tf.util.sizeToSquarishShape(pixels)) <= most;
  const byMatrix = env.getBool('WEBGL_CONV_IM2COL') && !env.getBool('WEBGL_EXP_CONV');
  return {
    what: `textures of at most ${most} x ${most} pixels`,
    holds: (height, width, channels, convolved) =>
      isTexture(height * width * channels) &&
      (!convolved || !byMatrix || isTexture(Math.ceil((height * width) / 2) * Math.ceil((9 * channels) / 2))),
  };
}
