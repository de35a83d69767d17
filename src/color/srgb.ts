import * as tf from '@tensorflow/tfjs-core';

/** Linear light of a value of sRGB (IEC 61966-2-1), both in [0,1]. */
export function toLinear(value: number): number {
  return value <= encodedLimit ? value / slope : ((value + offset) / (1 + offset)) ** exponent;
}

/** The inverse of {@link toLinear}; values outside of [0,1] continue its curve, so that nothing is lost. */
export function fromLinear(light: number): number {
  return light <= linearLimit ? light * slope : (1 + offset) * light ** (1 / exponent) - offset;
}

/** {@link toLinear} of every entry. */
export function toLinearTensor<T extends tf.Tensor>(values: T): T {
  return tf.tidy(() => {
    const curve = tf.pow(tf.div(tf.add(values, offset), 1 + offset), exponent);
    return tf.where(tf.lessEqual(values, encodedLimit), tf.div(values, slope), curve) as T;
  });
}

/** {@link fromLinear} of every entry. */
export function fromLinearTensor<T extends tf.Tensor>(light: T): T {
  return tf.tidy(() => {
    const curve = tf.sub(tf.mul(tf.pow(light, 1 / exponent), 1 + offset), offset);
    return tf.where(tf.lessEqual(light, linearLimit), tf.mul(light, slope), curve) as T;
  });
}

/** Linear light of the lowest 8-bit level above black. */
export const lowestLight = 1 / (255 * 12.92);

// The standard's constants: a line up to the limits, a power above them.
const slope = 12.92;
const offset = 0.055;
const exponent = 2.4;
const encodedLimit = 0.04045;
const linearLimit = 0.0031308;

type Row = readonly [number, number, number];

/**
 * Linear sRGB to CIE XYZ (IEC 61966-2-1), each row divided by its sum: relative to the white D65, so that greys have
 * three equal values. The second row gives luminance.
 */
export const relativeXyz: readonly [Row, Row, Row] = [
  [0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505],
  [0.2126, 0.7152, 0.0722],
  [0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089],
];
