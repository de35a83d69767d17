import * as tf from '@tensorflow/tfjs-core';
import { requireMemory } from '../allocation';
import { InvalidArgumentError } from '../errors';
import { registerGradients } from '../gradients';
import { oneOf, optionTable } from '../options/table';
import { PairwiseSum } from '../sums';
import { rowsOf } from '../tensor-rows';
import type { PositionWeights } from './pooled-mask';

/** How a Gram matrix is scaled; published style weights only fit the one they were made with. */
export type GramNormalization = 'elements' | 'positions' | 'none';

/** The option `normalization` of Gram matrices and style losses, with its default. */
export const gramNormalizationOption = oneOf<GramNormalization, { readonly default: 'elements' }>(
  ['elements', 'positions', 'none'],
  { default: 'elements' },
);

/** Options of {@link gramMatrix}. */
export interface GramMatrixOptions {
  /**
   * `'elements'` divides by channels * height * width (Li et al. 2021, the PyTorch tutorial), `'positions'` by
   * height * width (pystiche, the TensorFlow tutorial), `'none'` by nothing (Gatys et al. 2016 as printed).
   * @default 'elements'
   */
  readonly normalization?: GramNormalization | undefined;
}

const gramMatrixOptions = optionTable<GramMatrixOptions>()('gramMatrix', {
  normalization: gramNormalizationOption,
});

/**
 * Positions per chunk. Products are summed in float32 within a chunk, then the chunks' sums are added: this bounds the
 * error.
 */
const chunk = 1024;

/**
 * Inner products of a feature map's channels: G_ij = sum over positions k of F_ki F_kj, normalised.
 * It records which features occur together but not where; Gatys et al. 2016 (eq. 3) call this style.
 *
 * Sums are taken in chunks of positions, so that float32 keeps them to 1e-5 at any size.
 *
 * @param feature [1, height, width, channels]
 * @returns [channels, channels], symmetric; it belongs to the caller. Differentiable, on every backend.
 * @throws InvalidArgumentError if `feature` is not a single feature map, or the normalisation is unknown;
 *   EnvironmentError `OUT_OF_MEMORY` if the backend has no memory left
 * @example
 * ```ts
 * const feature = tf.tensor4d([1, 0, 0, 2], [1, 1, 2, 2]); // two positions, two channels
 * const gram = gramMatrix(feature, { normalization: 'none' }); // [[1, 0], [0, 4]]
 * ```
 */
export function gramMatrix(feature: tf.Tensor4D, options: GramMatrixOptions = {}): tf.Tensor2D {
  const { normalization } = gramMatrixOptions.read(options);
  if (feature.rank !== 4 || feature.shape[0] !== 1) {
    const accepted = '[1, height, width, channels]';
    throw new InvalidArgumentError(
      'WRONG_SHAPE',
      `feature has shape [${feature.shape}]; accepted: ${accepted}.`,
      { option: 'feature', value: feature.shape, accepted },
    );
  }
  const [, height, width, channels] = feature.shape;
  const scale = gramScale(feature.shape, normalization);
  const gram = tf.customGrad((x, save) => {
    const matrix = tf.reshape(x as tf.Tensor4D, [height * width, channels]) as tf.Tensor2D;
    (save as tf.GradSaveFunc)([matrix]);
    const value = tf.mul(sumOfProducts(matrix), scale);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.reshape(gramGradient(saved[0] as tf.Tensor2D, dy as tf.Tensor2D, scale), feature.shape);
    return { value, gradFunc };
  });
  registerGradients();
  return tf.tidy(() => gram(feature) as tf.Tensor2D);
}

/**
 * The Gram matrix of a region: sum_k T_k F_ki F_kj / sum_k T_k times the number of positions, normalised as without a
 * mask (Gatys et al. 2017, eq. 4). It is the Gram matrix of sqrt(T) F, scaled so that the size of a region does not
 * change its strength. A mask of ones changes no bit.
 *
 * @returns [channels, channels]; it belongs to the caller
 */
export function guidedGramMatrix(
  feature: tf.Tensor4D,
  { weights, ratio }: PositionWeights,
  normalization: GramNormalization,
): tf.Tensor2D {
  registerGradients();
  return tf.tidy(() => tf.mul(gramMatrix(tf.mul(feature, tf.sqrt(weights)), { normalization }), ratio));
}

/**
 * F^T F of the rows `from` to `to` - 1 of a matrix [positions, channels].
 *
 * @param to @default all positions
 */
export function sumOfProducts(matrix: tf.Tensor2D, from = 0, to = matrix.shape[0]): tf.Tensor2D {
  // tfjs-wasm packs the right-hand side of a product; without memory for that it returns zeros and no error.
  requireMemory(4 * 4 * chunk * matrix.shape[1]);
  const sum = new PairwiseSum();
  for (let begin = from; begin < to; begin += chunk) {
    sum.add(
      tf.tidy(() => {
        const rows = rowsOf(matrix, begin, Math.min(chunk, to - begin));
        // matMul's own transpose flags are 4 to 25 times slower on wasm than a transpose before it.
        return tf.matMul(tf.transpose(rows), rows);
      }),
    );
  }
  return sum.total() as tf.Tensor2D;
}

/**
 * The gradient of a Gram matrix with respect to some of the positions that it sums over, times `gradient`.
 *
 * @param matrix [positions, channels]
 * @param gradient of a value with respect to the Gram matrix, [channels, channels]
 * @param scale that of {@link gramScale}
 */
export function gramGradient(matrix: tf.Tensor2D, gradient: tf.Tensor2D, scale: number): tf.Tensor2D {
  const symmetric = tf.mul<tf.Tensor2D>(tf.add(gradient, tf.transpose(gradient)), scale);
  return tf.matMul(matrix, symmetric);
}

/** The factor that makes a Gram matrix of the sums of products over a feature map of this shape. */
export function gramScale(shape: readonly number[], normalization: GramNormalization): number {
  const [, height, width, channels] = shape;
  if (normalization === 'none') return 1;
  return 1 / (height * width * (normalization === 'elements' ? channels : 1));
}
