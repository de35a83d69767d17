import { InvalidArgumentError } from '../errors';
import { showText, showValue } from '../options/show';
import { requireName, requireNumber } from '../options/validate';
import type { Generator } from './generator';

/**
 * Weights of a generator's styles: by name, or in their order. They are ratios: only their proportions count.
 */
export type StyleWeights = Readonly<Record<string, number>> | readonly number[];

/**
 * The style vector of a blend: the weights, divided by their sum.
 *
 * @param weights undefined takes the only style that there is
 * @throws InvalidArgumentError if a name is unknown, a weight is negative or all are 0, the generator has several styles
 *   and no weights are given, or weights are given and it has one style only
 */
export function styleVector(
  { name, styles, vectorLength }: Pick<Generator, 'name' | 'styles' | 'vectorLength'>,
  weights: StyleWeights | undefined,
): Float32Array {
  if (vectorLength === 0) {
    if (weights === undefined) return new Float32Array(0);
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `styleWeights has no effect: the generator '${showText(name)}' has one style.`,
      { option: 'styleWeights', value: weights, accepted: 'no styleWeights' },
    );
  }
  const given = weights ?? (vectorLength === 1 ? [1] : undefined);
  const accepted = `a weight for some of ${styles.map((style) => showText(style)).join(', ') || `${vectorLength} styles`}`;
  if (given === undefined)
    throw new InvalidArgumentError('MISSING_ARGUMENT', `styleWeights is missing; accepted: ${accepted}.`, {
      option: 'styleWeights',
      accepted,
    });
  const vector = new Float32Array(vectorLength);
  for (const [key, weight] of Object.entries(given)) {
    const index = Array.isArray(given) ? Number(key) : styles.indexOf(key);
    if (!Array.isArray(given)) requireName('styleWeights', key, styles);
    requireNumber(`styleWeights.${key}`, weight, { min: 0 });
    if (index >= vectorLength) throw noWeights(weights, `at most ${vectorLength} weights`);
    vector[index] = weight;
  }
  const sum = vector.reduce((total, weight) => total + weight, 0);
  if (sum > 0) return vector.map((weight) => weight / sum);
  throw noWeights(weights, 'weights of which one is above 0');
}

function noWeights(value: unknown, accepted: string): InvalidArgumentError {
  const message = `styleWeights is ${showValue(value)}; accepted: ${accepted}.`;
  return new InvalidArgumentError('OUT_OF_RANGE', message, { option: 'styleWeights', value, accepted });
}
