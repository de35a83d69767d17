import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import { registerGradients } from '../gradients';
import { showValue } from '../options/show';
import { requireNumber } from '../options/validate';
import { type Loss, owningLoss, type WeightedLoss } from './loss';

/**
 * A loss times a factor. The result owns the loss: disposing the result disposes the loss.
 *
 * @param weight finite, at least 0
 * @throws InvalidArgumentError if the weight is negative or not finite
 * @example
 * ```ts
 * const loss = weighted(1e6, styleLoss(target));
 * ```
 */
export function weighted(weight: number, loss: Loss): Loss {
  requireNumber('weight', weight, { min: 0 });
  requireLoss('loss', loss);
  return composed(loss.name, [{ weight, loss }]);
}

/**
 * The sum of losses. The sum owns them: disposing it disposes them all.
 *
 * @param losses at least one
 * @throws InvalidArgumentError if there are none, or one is not a loss
 * @example
 * ```ts
 * const total = sum([weighted(1, contentLoss(content)), weighted(1e6, styleLoss(style))]);
 * ```
 */
export function sum(losses: readonly Loss[]): Loss {
  if (!Array.isArray(losses) || losses.length === 0) {
    throw new InvalidArgumentError(
      'EMPTY',
      `losses is ${showValue(losses)}; accepted: an array of at least one loss.`,
      { option: 'losses', value: losses, accepted: 'an array of at least one loss' },
    );
  }
  for (const [i, loss] of losses.entries()) requireLoss(`losses[${i}]`, loss);
  return composed(
    'sum',
    losses.map((loss) => ({ weight: 1, loss })),
  );
}

/**
 * The losses that a composed loss consists of, each with the product of the weights around it. A loss without parts is
 * returned alone.
 */
export function leaves(loss: Loss, weight = 1): WeightedLoss[] {
  if (!loss.parts) return [{ weight, loss }];
  return loss.parts.flatMap((part) => leaves(part.loss, weight * part.weight));
}

function composed(name: string, parts: readonly WeightedLoss[]): Loss {
  const layers = [...new Set(parts.flatMap((part) => part.loss.layers))];
  const compute = (features: Features): tf.Scalar =>
    tf.tidy(() => {
      registerGradients();
      const values = parts.map(({ weight, loss }) =>
        weight === 1 ? loss.compute(features) : (tf.mul(loss.compute(features), weight) as tf.Scalar),
      );
      return values.reduce((a, b) => tf.add(a, b));
    });
  return owningLoss(
    { name, layers, parts, compute },
    parts.map((part) => part.loss),
  );
}

/** Description of a loss for error messages. */
export const lossContract = 'an object with name, layers and compute(features)';

/** Whether a value has the shape of a {@link Loss}. */
export function isLoss(value: unknown): value is Loss {
  const { compute, layers } = (value ?? {}) as Partial<Loss>;
  return typeof value === 'object' && typeof compute === 'function' && Array.isArray(layers);
}

/** Throws unless a value has the shape of a {@link Loss}. */
export function requireLoss(option: string, value: unknown): asserts value is Loss {
  if (isLoss(value)) return;
  throw new InvalidArgumentError(
    'NOT_A_LOSS',
    `${option} is ${showValue(value)}; accepted: ${lossContract}.`,
    { option, value, accepted: lossContract },
  );
}
