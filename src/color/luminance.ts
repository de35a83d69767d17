import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import { meanOf } from '../sums';
import { inverse } from './matrix';
import { fromLinearTensor, relativeXyz, toLinearTensor } from './srgb';

/**
 * The luminance of an image with the chroma of another: Y of the one in linear light, a and b of CIE Lab of the other,
 * pixel by pixel. Where sRGB has no such colour, it is mixed with the grey of its luminance until it has: luminance and
 * direction of the chroma stay. Computed by operations of tfjs without reading anything back.
 *
 * Lab, because the same a and b look equally colourful on light and dark strokes, which differences of linear light
 * (YCbCr) do not, and because the noise of dark pixels stays small, which ratios of colours to luminance enlarge.
 *
 * @param image gives luminance
 * @param reference gives chroma; of the same size
 * @returns an image that belongs to the caller
 */
export function withChromaOf(image: Image, reference: Image): Image {
  return byRows(image, (first, rows) => {
    const light = luminanceOf(rowsOf(image, first, rows));
    const color = toLinearTensor(rowsOf(reference, first, rows));
    const [x, y, z] = relativeXyz.map((row) => labRoot(weightedSum(color, row)));
    const root = labRoot(light);
    const relative = [labPower(tf.add(root, tf.sub(x, y))), light, labPower(tf.add(root, tf.sub(z, y)))];
    const wanted = tf.concat(
      inverse(relativeXyz).map((row) => tf.addN(row.map((weight, i) => tf.mul(relative[i], weight)))),
      2,
    );
    const chroma = tf.sub(wanted, light);
    const room = tf.where(tf.greater(chroma, 0), tf.sub(1, light), light);
    const share = tf.min(tf.div(room, tf.maximum(tf.abs(chroma), 1e-12)), 2, true);
    const inside = tf.add(light, tf.mul(chroma, tf.minimum(share, 1)));
    return fromLinearTensor(tf.clipByValue(inside, 0, 1) as Image);
  });
}

/** The grey image of equal luminance, in three equal channels. @returns an image that belongs to the caller */
export function greyOf(image: Image): Image {
  return byRows(image, (first, rows) => {
    const grey = fromLinearTensor(tf.clipByValue(luminanceOf(rowsOf(image, first, rows)), 0, 1));
    return tf.concat([grey, grey, grey], 2);
  });
}

/**
 * A grey image with mean and deviation of another, clipped to [0,1]; one without contrast is shifted only.
 *
 * @param image of three equal channels, as `reference`; of any size
 * @returns an image that belongs to the caller
 */
export function matchGrey(image: Image, reference: Image): Image {
  return tf.tidy(() => {
    const [own, wanted] = [greyMoments(image), greyMoments(reference)];
    const gain = tf.where(
      tf.greater(own.deviation, smallestDeviation),
      tf.div(wanted.deviation, own.deviation),
      1,
    );
    return tf.clipByValue(tf.add(tf.mul(tf.sub(image, own.mean), gain), wanted.mean), 0, 1) as Image;
  });
}

/** Deviation of the error of rounding to 8 bits. */
const smallestDeviation = 1 / 255 / Math.sqrt(12);

function greyMoments(image: Image): { readonly mean: tf.Scalar; readonly deviation: tf.Scalar } {
  const mean = meanOf(image);
  return { mean, deviation: tf.sqrt(meanOf(tf.squaredDifference(image, mean))) };
}

/** Pixels computed at once: some 20 tensors of their number are alive at a time. */
const pixelsAtOnce = 2 ** 18;

/** An image from functions of its rows. */
function byRows({ shape: [height, width] }: Image, compute: (first: number, rows: number) => Image): Image {
  return tf.tidy(() => {
    const rows = Math.max(1, Math.floor(pixelsAtOnce / width));
    const parts: Image[] = [];
    for (let first = 0; first < height; first += rows)
      parts.push(tf.tidy(() => compute(first, Math.min(rows, height - first))));
    return parts.length === 1 ? parts[0] : tf.concat(parts, 0);
  });
}

const rowsOf = (image: Image, first: number, rows: number): Image =>
  tf.slice(image, [first, 0, 0], [rows, -1, -1]);

/** [height, width, 1], in linear light. */
const luminanceOf = (image: Image): Image => weightedSum(toLinearTensor(image), relativeXyz[1]);

const weightedSum = (image: Image, weights: readonly number[]): Image =>
  tf.sum(tf.mul(image, tf.tensor1d([...weights])), 2, true);

/** The function f of Lab (CIE 15): L = 116 f(Y) - 16, a = 500 (f(X) - f(Y)), b = 200 (f(Y) - f(Z)). */
function labRoot(light: tf.Tensor): tf.Tensor {
  const line = tf.add(tf.div(light, 3 * knee ** 2), 4 / 29);
  return tf.where(tf.greater(light, knee ** 3), tf.pow(light, 1 / 3), line);
}

/** The inverse of {@link labRoot}. */
function labPower(root: tf.Tensor): tf.Tensor {
  const line = tf.mul(tf.sub(root, 4 / 29), 3 * knee ** 2);
  return tf.where(tf.greater(root, knee), tf.mul(root, tf.square(root)), line);
}

const knee = 6 / 29;
