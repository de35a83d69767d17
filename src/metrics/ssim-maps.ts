import * as tf from '@tensorflow/tfjs-core';
import { type SsimWindow, spreadWindows, windowMeans } from './ssim-window';

/** Wang et al. 2004, section III.B: C1 = (K1 L)^2 and C2 = (K2 L)^2 keep the quotients finite where an image is dark or flat. */
const K1 = 0.01;
const K2 = 0.03;

/** Weighted means of a, b, a^2, b^2 and ab over every window, each [planes, h', w', 1]. */
export type Moments = [a: tf.Tensor4D, b: tf.Tensor4D, aa: tf.Tensor4D, bb: tf.Tensor4D, ab: tf.Tensor4D];

/** Local means of two stacks of planes and of their products, in one pass of the window. */
export function localMoments(a: tf.Tensor4D, b: tf.Tensor4D, window: SsimWindow): Moments {
  return tf.tidy(() => {
    const stack = tf.concat([a, b, tf.square(a), tf.square(b), tf.mul<tf.Tensor4D>(a, b)], 0);
    return tf.split(windowMeans(stack, window.weights), 5, 0) as Moments;
  });
}

/** The two factors of SSIM at every window, as numerators and denominators. */
interface Factors {
  /** 2 mu_a mu_b + C1 and mu_a^2 + mu_b^2 + C1. */
  readonly luminance: readonly [tf.Tensor4D, tf.Tensor4D];
  /** 2 sigma_ab + C2 and sigma_a^2 + sigma_b^2 + C2. */
  readonly contrastStructure: readonly [tf.Tensor4D, tf.Tensor4D];
}

function factors([a, b, aa, bb, ab]: Moments, window: SsimWindow, dataRange: number): Factors {
  const [c1, c2] = [(K1 * dataRange) ** 2, (K2 * dataRange) ** 2];
  const product = tf.mul(a, b);
  const squares = tf.add(tf.square(a), tf.square(b));
  const covariance = tf.mul(tf.sub(ab, product), window.varianceFactor);
  const variances = tf.mul(tf.sub(tf.add(aa, bb), squares), window.varianceFactor);
  return {
    luminance: [tf.add(tf.mul(product, 2), c1), tf.add(squares, c1)],
    contrastStructure: [tf.add(tf.mul(covariance, 2), c2), tf.add(variances, c2)],
  };
}

/** SSIM at every window, Wang et al. 2004, eq. 13. */
export function ssimMap(moments: Moments, window: SsimWindow, dataRange: number): tf.Tensor4D {
  return tf.tidy(() => {
    const { luminance, contrastStructure } = factors(moments, window, dataRange);
    return tf.mul(tf.div(luminance[0], luminance[1]), tf.div(contrastStructure[0], contrastStructure[1]));
  });
}

/** The product of contrast and structure at every window: SSIM without its luminance factor. */
export function contrastStructureMap(moments: Moments, window: SsimWindow, dataRange: number): tf.Tensor4D {
  return tf.tidy(() => {
    const [numerator, denominator] = factors(moments, window, dataRange).contrastStructure;
    return tf.div(numerator, denominator);
  });
}

/**
 * Gradients of the sum of {@link ssimMap} with respect to the planes `a` and `b`. With S = (L1 S1) / (L2 S2), where
 * L1 = 2 mu_a mu_b + C1, S1 = 2 sigma_ab + C2 and L2, S2 are their denominators, the chain rule over the window's means gives
 * dS/dmu_a = 2 mu_b (S1 - f L1) / (L2 S2) + 2 mu_a S (f / S2 - 1 / L2), dS/dE[aa] = -f S / S2, dS/dE[ab] = 2 f L1 / (L2 S2),
 * f the window's variance factor; each is then spread over the pixels of its window.
 */
export function ssimMapGradient(
  a: tf.Tensor4D,
  b: tf.Tensor4D,
  moments: Moments,
  window: SsimWindow,
  dataRange: number,
): [a: tf.Tensor4D, b: tf.Tensor4D] {
  return tf.tidy(() => {
    const f = window.varianceFactor;
    const { luminance, contrastStructure } = factors(moments, window, dataRange);
    const [l1, l2] = luminance;
    const [s1, s2] = contrastStructure;
    const denominator = tf.mul(l2, s2);
    const similarity = tf.div(tf.mul(l1, s1), denominator);
    const cross = tf.div(tf.mul(tf.sub(s1, tf.mul(l1, f)), 2), denominator);
    const own = tf.mul(similarity, tf.sub(tf.div(2 * f, s2), tf.div(2, l2)));
    const byMean = (mean: tf.Tensor4D, other: tf.Tensor4D) => tf.add(tf.mul(other, cross), tf.mul(mean, own));
    const stack = tf.concat([
      byMean(moments[0], moments[1]),
      byMean(moments[1], moments[0]),
      tf.mul(tf.div(similarity, s2), -f),
      tf.div(tf.mul(l1, 2 * f), denominator),
    ]) as tf.Tensor4D;
    const [byMeanA, byMeanB, bySquare, byProduct] = tf.split(spreadWindows(stack, window.weights), 4, 0);
    const gradient = (mean: tf.Tensor, plane: tf.Tensor, other: tf.Tensor) =>
      tf.addN([mean, tf.mul(tf.mul(plane, 2), bySquare), tf.mul(other, byProduct)]) as tf.Tensor4D;
    return [gradient(byMeanA, a, b), gradient(byMeanB, b, a)];
  });
}
