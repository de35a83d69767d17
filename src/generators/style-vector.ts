import { InvalidArgumentError } from '../errors';
import type { Generator } from '../features/generator';
import { showText, showValue } from '../options/show';
import { requireName, requireNumber } from '../options/validate';

/**
 * Weights of a generator's styles: by name, or in their order. They are ratios: only their proportions count.
 */
export type StyleWeights = Readonly<Record<string, number>> | readonly number[];

/** What a caller says of the style. */
interface StyleChoice {
  /** An image, or a vector of `predictStyle`. */
  readonly style: unknown;
  readonly styleWeights: StyleWeights | undefined;
}

/**
 * The style vector of what a caller says: that of a blend are its weights, divided by their sum.
 *
 * @returns undefined if it is to be found in the image `style`
 * @throws InvalidArgumentError if a name is unknown, a weight is negative or all are 0, the generator has several
 *   styles and none is chosen, or a choice has no effect
 */
export function styleVector(
  generator: Pick<Generator, 'name' | 'styles' | 'vectorLength' | 'predictor'>,
  { style, styleWeights }: StyleChoice,
): Float32Array | undefined {
  const { name, predictor, vectorLength } = generator;
  if (style === undefined) {
    if (!predictor || styleWeights !== undefined) return blendVector(generator, styleWeights);
    const accepted = 'a style image, or a vector of predictStyle()';
    throw new InvalidArgumentError('MISSING_ARGUMENT', `style is missing; accepted: ${accepted}.`, {
      option: 'style',
      accepted,
    });
  }
  const refuse = (what: string, accepted: string) =>
    new InvalidArgumentError('CONFLICTING_OPTIONS', `style ${what}; accepted: ${accepted}.`, {
      option: 'style',
      value: style,
      accepted,
    });
  if (styleWeights !== undefined) throw refuse('and styleWeights both choose the style', 'one of them');
  const shown = `the generator '${showText(name)}'`;
  if (!(style instanceof Float32Array)) {
    if (predictor) return undefined;
    throw refuse(`has no effect: ${shown} has no predictor`, vectorLength > 0 ? 'styleWeights' : 'no style');
  }
  if (style.length === vectorLength && vectorLength > 0 && style.every(Number.isFinite)) return style;
  throw refuse(
    `is a vector of ${style.length} numbers`,
    vectorLength > 0 ? `${vectorLength} finite numbers for ${shown}` : `no style for ${shown}`,
  );
}

function blendVector(
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
