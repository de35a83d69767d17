import * as tf from '@tensorflow/tfjs-core';
import { requireMemory } from '../allocation';
import { InvalidArgumentError } from '../errors';
import { registerGradients } from '../gradients';
import { requireKnownOptions, requireName } from '../options/validate';

/** How a Gram matrix is scaled; published style weights only fit the one they were made with. */
export type GramNormalization = 'elements' | 'positions' | 'none';

/** Every {@link GramNormalization}. */
export const gramNormalizations: readonly GramNormalization[] = ['elements', 'positions', 'none'];

/** Options of {@link gramMatrix}. */
export interface GramMatrixOptions {
  /**
   * `'elements'` divides by channels * height * width (Li et al. 2021, the PyTorch tutorial), `'positions'` by
   * height * width (pystiche, the TensorFlow tutorial), `'none'` by nothing (Gatys et al. 2016 as printed).
   * @default 'elements'
   */
  readonly normalization?: GramNormalization | undefined;
}

/**
 * Inner products of a feature map's channels: G_ij = sum over positions k of F_ki F_kj, normalised.
 * It tells which features occur together and not where, which is what Gatys et al. 2016 (eq. 3) call style.
 *
 * @param feature [1, height, width, channels]
 * @returns [channels, channels], symmetric; it belongs to the caller. Differentiable, on every backend.
 * @throws InvalidArgumentError if `feature` is no single feature map, or the normalisation is unknown
 * @example
 * ```ts
 * const feature = tf.tensor4d([1, 0, 0, 2], [1, 1, 2, 2]); // two positions, two channels
 * const gram = gramMatrix(feature, { normalization: 'none' }); // [[1, 0], [0, 4]]
 * ```
 */
export function gramMatrix(feature: tf.Tensor4D, options: GramMatrixOptions = {}): tf.Tensor2D {
  requireKnownOptions('gramMatrix', options, ['normalization']);
  const { normalization = 'elements' } = options;
  requireName('normalization', normalization, gramNormalizations);
  if (feature.rank !== 4 || feature.shape[0] !== 1) {
    const accepted = '[1, height, width, channels]';
    throw new InvalidArgumentError(
      'WRONG_SHAPE',
      `feature has shape [${feature.shape}]; accepted: ${accepted}.`,
      {
        option: 'feature',
        value: feature.shape,
        accepted,
      },
    );
  }
  const [, height, width, channels] = feature.shape;
  const scale = gramScale(feature.shape, normalization);
  const gram = tf.customGrad((x, save) => {
    const matrix = tf.reshape(x as tf.Tensor4D, [height * width, channels]) as tf.Tensor2D;
    (save as tf.GradSaveFunc)([matrix]);
    // matMul's own transpose flags are 4 to 25 times slower on wasm than a transpose before it.
    const [transposed, copy] = [tf.transpose(matrix), freshCopy(matrix)];
    // tfjs-wasm packs its right-hand side, and leaves the product zero where no memory is left for that.
    requireMemory(4 * matrix.size);
    const value = tf.mul(tf.matMul(transposed, copy), scale);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const symmetric = tf.mul(tf.add(dy, tf.transpose(dy)), scale) as tf.Tensor2D;
      return tf.reshape(tf.matMul(saved[0] as tf.Tensor2D, symmetric), feature.shape);
    };
    return { value, gradFunc };
  });
  registerGradients();
  return tf.tidy(() => gram(feature) as tf.Tensor2D);
}

/** What the sums of products over a feature map of this shape are multiplied by. */
export function gramScale(shape: readonly number[], normalization: GramNormalization): number {
  const [, height, width, channels] = shape;
  if (normalization === 'none') return 1;
  return 1 / (height * width * (normalization === 'elements' ? channels : 1));
}

/** tfjs-wasm keeps packed right-hand sides by data id and not by shape: a reshaped one would give wrong numbers. */
function freshCopy(matrix: tf.Tensor2D): tf.Tensor2D {
  return tf.getBackend().startsWith('wasm') ? tf.add(matrix, 0) : matrix;
}
