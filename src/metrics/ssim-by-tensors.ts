import * as tf from '@tensorflow/tfjs-core';
import { meanOf } from '../sums';
import { fromDifference, gradientOfPixels, type LocalMoments, localMoments } from './local-moments';
import { type Channels, fromPlanes, type ImageTensor, toPlanes } from './planes';
import { type SsimSettings, type SsimWindow, ssimConstants } from './ssim-window';

/**
 * SSIM by operations of tfjs, in float32: for backends whose tensors lie in the memory of a graphics processor. To read
 * them makes the program wait (webgl) or needs a promise (webgpu).
 */
export function ssimByTensors(
  a: ImageTensor,
  b: ImageTensor,
  { channels, dataRange, window }: SsimSettings,
): tf.Scalar {
  const { weights } = window;
  const compute = tf.customGrad((...inputs) => {
    const [x, y, save] = inputs as [ImageTensor, ImageTensor, tf.GradSaveFunc];
    const { pixels, offset } = stack(x, y, channels);
    const { columns, windows } = localMoments(pixels, weights);
    const { luminance, contrast } = lost(means(windows, offset), windows.variance, window, dataRange);
    // 1 - (1 - luminance) (1 - contrast)
    const dissimilarity = tf.sub(
      tf.add(luminance.quotient, contrast.quotient),
      tf.mul(luminance.quotient, contrast.quotient),
    );
    save([x, y, columns.centre, columns.deviation, windows.centre, windows.deviation, windows.variance]);
    const gradFunc = (dy: tf.Scalar, saved: tf.Tensor[]): tf.Tensor[] => {
      const [columnCentre, columnDeviation, centre, deviation, variance] = saved.slice(2) as tf.Tensor3D[];
      const again = stack(saved[0] as ImageTensor, saved[1] as ImageTensor, channels);
      const moments = { centre, deviation, variance };
      const gradient = gradientOfPixels(
        again.pixels,
        { centre: columnCentre, deviation: columnDeviation },
        moments,
        momentGradients(means(moments, again.offset), variance, window, dataRange),
        weights,
      );
      const share = tf.div(dy, -variance.size / 3);
      return tf
        .split(tf.mul(gradient, share) as tf.Tensor3D, 2, 0)
        .map((half) => fromPlanes(half as tf.Tensor3D, x.shape, channels));
    };
    return { value: tf.sub<tf.Scalar>(1, meanOf(dissimilarity)), gradFunc };
  });
  return tf.tidy(() => compute(a, b) as tf.Scalar);
}

/** Planes and offsets of two images, one behind the other. */
function stack(a: ImageTensor, b: ImageTensor, channels: Channels) {
  const [planesA, planesB] = [toPlanes(a, channels), toPlanes(b, channels)];
  return {
    pixels: tf.concat([planesA.planes, planesB.planes], 0) as tf.Tensor3D,
    offset: tf.concat([planesA.offset, planesB.offset], 0) as tf.Tensor3D,
  };
}

/** Local means of a and b, and their difference, which is exactly 0 for equal images. */
function means(
  { centre, deviation }: LocalMoments,
  offset: tf.Tensor3D,
): [a: tf.Tensor, b: tf.Tensor, d: tf.Tensor] {
  const differences = [centre, deviation as tf.Tensor3D, offset].map((x) => {
    const [ofA, ofB] = tf.split(x, 2, 0);
    return tf.sub(ofA, ofB);
  });
  const [a, b] = tf.split(
    tf.addN([centre, deviation as tf.Tensor3D, tf.add(tf.zerosLike(centre), offset)]),
    2,
    0,
  );
  return [a, b, tf.add(tf.add(differences[0], differences[1]), differences[2])];
}

/** A factor of SSIM as 1 - quotient, quotient = numerator / denominator. */
interface Lost {
  readonly quotient: tf.Tensor;
  readonly denominator: tf.Tensor;
}

/**
 * One minus each factor of SSIM: (mu_a - mu_b)^2 / (mu_a^2 + mu_b^2 + C1) of luminance and
 * f var(a - b) / (f (var_a + var_b) + C2) of contrast and structure, f the window's variance factor.
 */
function lost(
  [a, b, d]: readonly tf.Tensor[],
  variance: tf.Tensor3D,
  { varianceFactor }: SsimWindow,
  dataRange: number,
): { luminance: Lost; contrast: Lost } {
  const { c1, c2 } = ssimConstants(dataRange);
  const [ofA, ofB, ofD] = tf.split(varianceFactor === 1 ? variance : tf.mul(variance, varianceFactor), 3, 0);
  const means = tf.add(tf.add(tf.square(a), tf.square(b)), c1);
  const variances = tf.add(tf.add(ofA, ofB), c2);
  return {
    luminance: { quotient: tf.div(tf.square(d), means), denominator: means },
    contrast: { quotient: tf.div(ofD, variances), denominator: variances },
  };
}

/**
 * Gradients of x + y - x y at every window, x and y the quotients of {@link lost}, A and B their denominators:
 * with respect to mu_a - mu_b it is (1 - y) 2 (mu_a - mu_b) / A; to mu_a in A, -(1 - y) x 2 mu_a / A (mu_b likewise);
 * to var(a - b), (1 - x) f / B; to var_a and var_b, -(1 - x) y f / B.
 */
function momentGradients(
  [a, b, d]: readonly tf.Tensor[],
  variance: tf.Tensor3D,
  window: SsimWindow,
  dataRange: number,
) {
  const { luminance, contrast } = lost([a, b, d], variance, window, dataRange);
  const byMean = tf.div(tf.mul(tf.sub(1, contrast.quotient), 2), luminance.denominator);
  const byOwnMean = tf.neg(tf.mul(byMean, luminance.quotient));
  const byVariance = tf.div(
    tf.mul(tf.sub(1, luminance.quotient), window.varianceFactor),
    contrast.denominator,
  );
  const byOwnVariance = tf.neg(tf.mul(byVariance, contrast.quotient));
  const mean = tf.concat([tf.mul(byOwnMean, a), tf.mul(byOwnMean, b), tf.mul(byMean, d)], 0) as tf.Tensor3D;
  return {
    mean: fromDifference(mean),
    variance: tf.concat([byOwnVariance, byOwnVariance, byVariance], 0) as tf.Tensor3D,
  };
}
