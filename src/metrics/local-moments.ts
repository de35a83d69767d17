import * as tf from '@tensorflow/tfjs-core';

/**
 * Means and variances of two stacks of planes under a sliding window, in a form that float32 can hold: no large numbers
 * are subtracted from each other. A mean is the pixel at the window's centre plus a deviation, and deviations are sums
 * of differences of pixels, which are exact or nearly so. A variance, of the deviations from the centre, is E[t^2] -
 * E[t]^2 with E[t]^2 at most (1 - w) / w of the variance, w being the centre's weight: nothing cancels, however bright
 * or flat the image is.
 *
 * Planes have no axis for channels, so that a weighted mean of all of them is one convolution with one channel.
 */
export interface LocalMoments {
  /** Planes of a, then of b, [2 planes, height, width]: the pixel at the centre of each window. */
  readonly centre: tf.Tensor3D;
  /** Mean minus centre, of the same shape. */
  readonly deviation?: tf.Tensor3D;
  /** [3 planes, height, width]: variances of a, of b, and of a - b. */
  readonly variance?: tf.Tensor3D;
}

/** Gradients of a number with respect to local means of a and b, and to local variances of a, b and a - b. */
export interface MomentGradients {
  /** [2 planes, height, width] */
  readonly mean: tf.Tensor3D;
  /** [3 planes, height, width] */
  readonly variance: tf.Tensor3D;
}

/** Rows, then columns: a window is the outer product of its weights. */
const axes = [1, 2] as const;
type Axis = (typeof axes)[number];

/**
 * Local moments over every window that lies wholly inside.
 *
 * @param pixels planes of a, then of b, [2 planes, height, width]
 * @returns the moments of columns of pixels, which {@link gradientOfPixels} needs, and those of windows
 */
export function localMoments(pixels: tf.Tensor3D, weights: readonly number[]) {
  const columns = momentsAlong(axes[0], { centre: pixels }, weights);
  return { columns, windows: momentsAlong(axes[1], columns, weights) };
}

/** [a, b] with their difference behind them: [a, b, a - b]. */
export function withDifference(pair: tf.Tensor3D): tf.Tensor3D {
  const [a, b] = tf.split(pair, 2, 0);
  return tf.concat([pair, tf.sub(a, b)], 0) as tf.Tensor3D;
}

/** The adjoint of {@link withDifference}: [a, b, d] becomes [a + d, b - d]. */
export function fromDifference(triple: tf.Tensor3D): tf.Tensor3D {
  const [a, b, difference] = tf.split(triple, 3, 0);
  return tf.concat([tf.add(a, difference), tf.sub(b, difference)], 0) as tf.Tensor3D;
}

/** Moments over intervals along an axis, from the moments of the interval's members, by the law of total variance. */
function momentsAlong(axis: Axis, of: LocalMoments, weights: readonly number[]): Required<LocalMoments> {
  return tf.tidy(() => {
    const at = (x: tf.Tensor3D, j: number) => shifted(x, axis, j, weights.length);
    const centre = at(of.centre, (weights.length - 1) / 2);
    // sum w t and sum w t^2 over the interval, t being the difference of a mean in it and the centre.
    const [deviation, squares] = accumulate(weights, (weight, j) => {
      const difference = tf.sub(at(of.centre, j), centre);
      const t = (of.deviation ? tf.add(difference, at(of.deviation, j)) : difference) as tf.Tensor3D;
      return [tf.mul(t, weight), tf.mul(tf.square(withDifference(t)), weight)];
    });
    const between = tf.sub(squares, tf.square(withDifference(deviation))) as tf.Tensor3D;
    const variance = of.variance ? tf.add(between, weightedMeans(of.variance, axis, weights)) : between;
    return { centre, deviation, variance: variance as tf.Tensor3D };
  });
}

/**
 * The gradient with respect to `pixels` of {@link localMoments}, from gradients with respect to the moments of windows.
 */
export function gradientOfPixels(
  pixels: tf.Tensor3D,
  columns: LocalMoments,
  windows: LocalMoments,
  gradients: MomentGradients,
  weights: readonly number[],
): tf.Tensor3D {
  const ofColumns = gradientAlong(axes[1], columns, windows, gradients, weights);
  return gradientAlong(axes[0], { centre: pixels }, columns, ofColumns, weights).mean;
}

/**
 * The adjoint of the derivative of {@link momentsAlong}. With mean M = sum w m and variance V = sum w (v + (m - M)^2),
 * the gradient with respect to m at r is the sum over intervals q around r of w (gM + 2 gV (m_r - M_q)), and with
 * respect to v it is sum w gV.
 */
function gradientAlong(
  axis: Axis,
  inner: LocalMoments,
  outer: LocalMoments,
  { mean, variance }: MomentGradients,
  weights: readonly number[],
): MomentGradients {
  return tf.tidy(() => {
    const border = weights.length - 1;
    const pad = (x: tf.Tensor3D) =>
      tf.pad(x, [0, 1, 2].map((i) => (i === axis ? [border, border] : [0, 0])) as [number, number][]);
    const spread = (x: tf.Tensor3D) => weightedMeans(pad(x), axis, weights);
    const [paddedVariance, paddedCentre] = [pad(variance), pad(outer.centre)];
    // sum w gV (centre_r - centre_q): the difference of two pixels, exact or nearly so.
    const [products] = accumulate(weights, (weight, j) => {
      const at = (x: tf.Tensor3D) => shifted(x, axis, j, weights.length);
      const difference = tf.sub(inner.centre, at(paddedCentre)) as tf.Tensor3D;
      return [tf.mul(tf.mul(withDifference(difference), weight), at(paddedVariance))];
    });
    const innerVariance = spread(variance);
    const outward = spread(tf.mul(withDifference(outer.deviation as tf.Tensor3D), variance));
    const terms = [products, tf.neg(outward)];
    if (inner.deviation) terms.push(tf.mul(withDifference(inner.deviation), innerVariance));
    const byVariance = fromDifference(tf.mul(tf.addN(terms), 2) as tf.Tensor3D);
    return { mean: tf.add(spread(mean), byVariance) as tf.Tensor3D, variance: innerVariance };
  });
}

/** Positions j, j + 1, ... along an axis: as many as there are intervals of `size` positions. */
function shifted(x: tf.Tensor3D, axis: Axis, j: number, size: number): tf.Tensor3D {
  const begin = x.shape.map((_, i) => (i === axis ? j : 0));
  return tf.slice(
    x,
    begin,
    x.shape.map((n, i) => (i === axis ? n - size + 1 : n)),
  ) as tf.Tensor3D;
}

/** Sums over the window's weights of the tensors that `term` makes; only the sums so far are kept. */
function accumulate(
  weights: readonly number[],
  term: (weight: number, j: number) => tf.Tensor[],
): tf.Tensor3D[] {
  return weights.reduce<tf.Tensor3D[]>((sums, weight, j) => {
    const next = tf.tidy(() => {
      const terms = term(weight, j) as tf.Tensor3D[];
      return sums.length === 0 ? terms : terms.map((x, i) => tf.add(sums[i], x) as tf.Tensor3D);
    });
    tf.dispose(sums);
    return next;
  }, []);
}

/** Weighted means over all intervals along an axis that lie wholly inside. */
function weightedMeans(x: tf.Tensor3D, axis: Axis, weights: readonly number[]): tf.Tensor3D {
  const shape: [number, number, number, number] = [1, 1, 1, 1];
  shape[axis - 1] = weights.length;
  const means = tf.conv2d(tf.expandDims<tf.Tensor4D>(x, 3), tf.tensor4d([...weights], shape), 1, 'valid');
  return tf.squeeze<tf.Tensor3D>(means, [3]);
}
