import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import { number, optionTable } from '../options/table';
import { type PyramidBand, pyramidBands, tent } from './pyramid-bands';
import type { Preconditioner } from './vector-space';

/** Options of {@link pyramidPreconditioner}. */
export interface PyramidOptions {
  /**
   * The band of octave k is amplified by 2^(exponent * k), about frequency^-exponent. 0 leaves every
   * vector as it is. In [0, 4].
   * @default 0.5
   */
  readonly exponent?: number;
  /**
   * Octaves of the pyramid; an image of few pixels has fewer. In [0, 16].
   * @default 6
   */
  readonly levels?: number;
}

const pyramidOptions = optionTable<PyramidOptions>()('pyramidPreconditioner', {
  exponent: number({ min: 0, max: 4, default: 0.5 }),
  levels: number({ min: 0, max: 16, integer: true, default: 6 }),
});

/** A {@link pyramidPreconditioner}, with the options it was made from. */
export interface PyramidPreconditioner extends Preconditioner<tf.Tensor3D> {
  readonly kind: 'pyramid';
  readonly exponent: number;
  readonly levels: number;
}

/**
 * Amplifies the coarse structure of an image: a preconditioner for losses whose curvature grows with spatial frequency,
 * as that of style transfer does. With it L-BFGS needs 35 to 45 % fewer evaluations.
 *
 *   P = I + sum over k = 1..levels of (2^(q k) - 2^(q (k-1))) U_k N_k^-1 U_k^T
 *
 * U_k enlarges by 2^k (bilinear enlargement by 2, k times), U_k^T is its adjoint, a smooth pooling, and the diagonal
 * N_k makes every band leave a constant image unchanged. P is symmetric and at least the identity for images of any
 * size. Forward operations only, on every backend.
 *
 * @param options see {@link PyramidOptions}
 * @returns a preconditioner for tensors [height, width, channels]; it holds no tensors
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @example
 * ```ts
 * const method = lbfgs({ preconditioner: pyramidPreconditioner() });
 * const { x } = await minimize(objective, image, { method, bounds: [0, 1] });
 * ```
 */
export function pyramidPreconditioner(options: PyramidOptions = {}): PyramidPreconditioner {
  const { exponent, levels } = pyramidOptions.read(options);
  return {
    kind: 'pyramid',
    exponent,
    levels,
    apply(vector) {
      if (vector.rank !== 3) {
        const accepted = '[height, width, channels]';
        throw new InvalidArgumentError(
          'WRONG_SHAPE',
          `pyramidPreconditioner got ${showValue(vector.shape)}; accepted: ${accepted}.`,
          {
            option: 'vector',
            value: vector.shape,
            accepted,
          },
        );
      }
      const [height, width] = vector.shape;
      const bands = pyramidBands(height, width, { exponent, levels });
      return tf.tidy(() => tf.add(vector, coarser(vector, bands)));
    },
  };
}

/** Whether a preconditioner is a {@link pyramidPreconditioner}, for spaces that have kernels for it. */
export function isPyramid(preconditioner: object): preconditioner is PyramidPreconditioner {
  return (preconditioner as Partial<PyramidPreconditioner>).kind === 'pyramid';
}

/** U (factors S + the coarser bands) at the level of `sums`, where S are the pooled sums and U enlarges by 2. */
function coarser(sums: tf.Tensor3D, [band, ...beyond]: readonly PyramidBand[]): tf.Tensor3D {
  if (!band) return tf.zerosLike(sums);
  const [height, width] = sums.shape;
  const pooled = pool(sums);
  const lifted = enlarge(tf.add(tf.mul(pooled, factorsOf(band)), coarser(pooled, beyond)));
  return height % 2 || width % 2 ? tf.slice(lifted, [0, 0, 0], sums.shape) : lifted;
}

/**
 * Bilinear enlargement by 2: each pixel becomes four, each 3/4 of the pixel and 1/4 of its neighbour along either axis.
 */
const enlarge = (image: tf.Tensor3D): tf.Tensor3D =>
  tf.image.resizeBilinear(image, [2 * image.shape[0], 2 * image.shape[1]], false, true);

/**
 * The adjoint of {@link enlarge} and of the cut to an odd size: an odd side is padded with zeros, and the border is
 * mirrored, because the enlargement takes a border pixel for its own neighbour.
 */
function pool(image: tf.Tensor3D): tf.Tensor3D {
  const [height, width, channels] = image.shape;
  const even =
    height % 2 || width % 2
      ? tf.pad3d(image, [
          [0, height % 2],
          [0, width % 2],
          [0, 0],
        ])
      : image;
  // One axis at a time, rows as channels and then as a batch: with three channels and sixteen taps at once wasm is many
  // times slower.
  const [fullHeight, fullWidth] = even.shape;
  const rowLength = fullWidth * channels;
  const rows = tf.mul(tf.reshape(even, [fullHeight, rowLength]), borderFactors(fullHeight));
  const halfHeight = tf.depthwiseConv2d(
    tf.reshape(rows, [1, fullHeight, 1, rowLength]) as tf.Tensor4D,
    tentFilter([4, 1], rowLength),
    2,
    'same',
  );
  const columns = tf.mul(
    tf.reshape(halfHeight, [fullHeight / 2, 1, fullWidth, channels]),
    borderFactors(fullWidth),
  );
  const half = tf.depthwiseConv2d(columns as tf.Tensor4D, tentFilter([1, 4], channels), 2, 'same');
  return tf.reshape(half, [fullHeight / 2, fullWidth / 2, channels]);
}

/**
 * The convolution pads with zeros where the operator mirrors; scaling border pixels by 4/3 makes up for it. [length, 1]
 */
function borderFactors(length: number): tf.Tensor2D {
  const factors = new Float32Array(length).fill(1);
  factors[0] = factors[length - 1] = 4 / 3;
  return tf.tensor2d(factors, [length, 1]);
}

const tentFilter = (taps: [number, number], channels: number): tf.Tensor4D =>
  tf.tile(tf.tensor4d(tent, [...taps, 1, 1]), [1, 1, channels, 1]);

/** The factors of a band's pixels; a single number if all are equal. */
function factorsOf({ rows, columns }: PyramidBand): tf.Tensor | number {
  const uniform = [rows, columns].every((factors) => factors.every((factor) => factor === factors[0]));
  if (uniform) return rows[0] * columns[0];
  return tf.mul(tf.tensor3d(rows, [rows.length, 1, 1]), tf.tensor3d(columns, [1, columns.length, 1]));
}
