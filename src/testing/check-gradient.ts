import * as tf from '@tensorflow/tfjs-core';
import { ComputationError } from '../errors';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import type { Loss } from '../losses/loss';
import { type Objective, valueAndCotangents } from '../objective';
import { any, number, optionTable } from '../options/table';

/** Options of {@link checkGradient}. */
export interface CheckGradientOptions {
  /** Greatest error accepted, as a fraction of the gradient's length. @default 0.01 */
  readonly tolerance?: number | undefined;
  /** Number of random directions. @default 6 */
  readonly directions?: number | undefined;
  /** Seed of the directions. @default 0 */
  readonly seed?: number | undefined;
  /**
   * Step sizes h to try: rounding makes small ones noisy, curvature makes large ones inexact.
   * @default [0.1, 0.03, 0.01, 0.003, 0.001]
   */
  readonly steps?: readonly number[] | undefined;
}

const checkGradientOptions = optionTable<CheckGradientOptions>()('checkGradient', {
  tolerance: number({ min: 0, default: 0.01 }),
  directions: number({ min: 1, integer: true, default: 6 }),
  seed: number({ integer: true, default: 0 }),
  steps: any<readonly number[], { readonly default: readonly number[] }>(
    'an array of numbers above 0',
    (value) => Array.isArray(value) && value.length > 0 && value.every((step) => step > 0),
    { default: [0.1, 0.03, 0.01, 0.003, 0.001] },
  ),
});

/** Result of {@link checkGradient}. */
export interface GradientCheck {
  /** The greatest error over all directions, as a fraction of the gradient's length. */
  readonly maxError: number;
  /** For each direction: the derivative from the gradient, the nearest central difference, and its step. */
  readonly directions: readonly {
    readonly analytic: number;
    readonly numeric: number;
    readonly step: number;
  }[];
}

/**
 * Compares a gradient with central differences: (f(x + h u) - f(x - h u)) / 2h against <gradient, u>, for random
 * directions u of entries +-1.
 *
 * @param subject a loss, with `at` the features to check it at, or an objective, with `at` an image
 * @param at not disposed
 * @returns the errors found, if all are within the tolerance
 * @throws ComputationError if an error exceeds the tolerance
 * @example
 * ```ts
 * await checkGradient(myLoss, extractor.extract(image, myLoss.layers));
 * ```
 */
export async function checkGradient(
  subject: Loss | Objective,
  at: Features | Image,
  options: CheckGradientOptions = {},
): Promise<GradientCheck> {
  const { tolerance, directions, seed, steps } = checkGradientOptions.read(options);
  const { inputs, value, gradient } = adapt(subject, at);
  const gradients = gradient();
  const length = Math.sqrt(await inner(gradients, gradients));
  const found: { analytic: number; numeric: number; step: number }[] = [];
  try {
    for (let i = 0; i < directions; i++) {
      const direction = inputs.map((x, j) => randomSigns(x.shape, seed + i * 1000 + j));
      const analytic = await inner(gradients, direction);
      const differences: { analytic: number; numeric: number; step: number }[] = [];
      for (const step of steps) {
        const moved = (sign: number) =>
          numberOf(() => value(inputs.map((x, j) => tf.add(x, tf.mul(direction[j], sign * step)))));
        differences.push({ analytic, numeric: ((await moved(1)) - (await moved(-1))) / (2 * step), step });
      }
      tf.dispose(direction);
      const nearest = differences.sort(
        (a, b) => Math.abs(a.numeric - analytic) - Math.abs(b.numeric - analytic),
      )[0];
      found.push(nearest);
    }
  } finally {
    tf.dispose(gradients);
  }
  const errors = found.map(({ analytic, numeric }) => Math.abs(analytic - numeric) / Math.max(length, 1e-12));
  const maxError = Math.max(...errors);
  // `<=` is false for NaN, which then fails.
  if (maxError <= tolerance || (length === 0 && found.every(({ numeric }) => numeric === 0))) {
    return { maxError, directions: found };
  }
  const worst = found[errors.indexOf(maxError)] ?? found[0];
  throw new ComputationError(
    'WRONG_GRADIENT',
    `The gradient is off by ${maxError} of its length: along one direction it says ${worst.analytic}, central differences say ${worst.numeric}.`,
    { value: maxError, accepted: `at most ${tolerance}` },
  );
}

/** A loss or an objective as a function of a list of tensors. */
interface Differentiable {
  readonly inputs: readonly tf.Tensor[];
  value(inputs: readonly tf.Tensor[]): tf.Tensor;
  gradient(): tf.Tensor[];
}

function adapt(subject: Loss | Objective, at: Features | Image): Differentiable {
  if ('evaluate' in subject) {
    return {
      inputs: [at as Image],
      value: ([image]) => subject.evaluate(image as Image).value,
      gradient: () => [tf.tidy(() => subject.evaluate(at as Image).gradient)],
    };
  }
  const features = at as Features;
  return {
    inputs: subject.layers.map((layer) => features[layer] as tf.Tensor),
    value: (maps) => subject.compute(record(subject.layers, maps)),
    gradient: () =>
      tf.tidy(() => {
        const { gradients } = valueAndCotangents(subject, features);
        return subject.layers.map((layer) => gradients[layer] as tf.Tensor);
      }),
  };
}

function record(layers: readonly LayerName[], maps: readonly tf.Tensor[]): Features {
  return Object.fromEntries(layers.map((layer, i) => [layer, maps[i]])) as Features;
}

function randomSigns(shape: number[], seed: number): tf.Tensor {
  return tf.tidy(() =>
    tf.sub(tf.mul(tf.cast(tf.greater(tf.randomUniform(shape, 0, 1, 'float32', seed), 0.5), 'float32'), 2), 1),
  );
}

/** The inner product in double precision. */
async function inner(a: readonly tf.Tensor[], b: readonly tf.Tensor[]): Promise<number> {
  let total = 0;
  for (const [i, x] of a.entries()) {
    const [values, others] = [await x.data<'float32'>(), await b[i].data<'float32'>()];
    total = values.reduce((sum, v, k) => sum + v * others[k], total);
  }
  return total;
}

/** The number of a scalar, read without blocking: WebGPU has no other way. */
async function numberOf(compute: () => tf.Tensor): Promise<number> {
  const scalar = tf.tidy(compute);
  try {
    return (await scalar.data())[0];
  } finally {
    scalar.dispose();
  }
}
