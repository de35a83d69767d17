import { WeightsError } from '../errors';
import { showText } from '../options/show';
import type { GeneratorNetwork } from './generator-network';
import { generatorParameters, parameterVector } from './generator-parameters';
import { resolveSteps } from './generator-steps';
import { type NamedTensors, tensorValues } from './network';
import { predictorTensors, resolvePredictor } from './predictor-steps';
import type { StylePredictor } from './style-predictor';

/** What a generator is made of. */
export interface GeneratorParts {
  /** Name for people: of the style or of the file. @default the network's */
  readonly name?: string | undefined;
  readonly network: GeneratorNetwork;
  /**
   * The tensors of the network's steps. Of a scale or shift of an instance norm that a style determines there is also
   * `NAME/slopes`, [length of the style vector, channels]: the value is NAME + vector · slopes.
   */
  readonly weights: NamedTensors;
  /**
   * A network that finds the style vector in a style image; its tensors are among the weights. Its last step has as
   * many channels as the vector is long.
   * @default none
   */
  readonly predictor?: StylePredictor | undefined;
  /**
   * Names of the styles that it paints. With several, the style vector has the weight of each.
   * @default none known
   */
  readonly styles?: readonly string[] | undefined;
  /** How it was trained, as plain JSON. @default unknown */
  readonly training?: Readonly<Record<string, unknown>> | undefined;
  /** Licence of the weights, or where it can be read. @default unknown */
  readonly license?: string | undefined;
  /** Where the weights come from, for people. @default unknown */
  readonly origin?: string | undefined;
}

/**
 * A feed-forward network with its weights, which paints a picture at once: `loadGenerator`, `trainGenerator` and
 * `createGenerator` give it. Plain data, in no need of disposal.
 */
export interface Generator {
  readonly kind: 'generator';
  readonly name: string;
  readonly network: GeneratorNetwork;
  readonly weights: NamedTensors;
  readonly predictor: StylePredictor | undefined;
  readonly styles: readonly string[];
  /** Length of the style vector; 0 of a generator of one style. */
  readonly vectorLength: number;
  readonly training: Readonly<Record<string, unknown>> | undefined;
  readonly license: string | undefined;
  readonly origin: string | undefined;
}

/**
 * A generator of its parts.
 *
 * @returns the generator, which shares the memory of the weights
 * @throws WeightsError `UNSUPPORTED_NETWORK` if the network's steps do not fit together, `WRONG_WEIGHTS` if a tensor is
 *   missing, has another shape or a number that is not finite, or there are not as many names as styles
 * @example
 * ```ts
 * const { network, initialWeights } = johnson({ width: 8 });
 * const generator = createGenerator({ network, weights: initialWeights(1) });
 * ```
 */
export function createGenerator({
  network,
  weights,
  name,
  predictor,
  styles = [],
  training,
  license,
  origin,
}: GeneratorParts): Generator {
  resolveSteps(network);
  const vector = parameterVector(network, weights);
  const lengths = new Map<string, number>();
  for (const { name: parameter, shape } of generatorParameters(network)) {
    const slopes = weights.get(slopesName(parameter));
    if (!slopes) continue;
    const fits = slopes.shape.length === 2 && slopes.shape[1] === shape[0] && shape.length === 1;
    if (!fits || slopes.values.length !== slopes.shape[0] * slopes.shape[1])
      throw wrong(
        network,
        slopesName(parameter),
        `[${slopes.shape}]`,
        `[length of the style vector, ${shape[0]}]`,
      );
    requireFinite(network, slopesName(parameter), slopes.values);
    lengths.set(parameter, slopes.shape[0]);
  }
  requireFinite(network, 'of its steps', vector);
  const [vectorLength = 0, ...others] = new Set(lengths.values());
  if (others.length > 0)
    throw wrong(network, 'of styles', `style vectors of lengths ${[vectorLength, ...others]}`, 'one length');
  if (predictor) requirePredictor(predictor, weights, vectorLength);
  requireNames(network, styles, vectorLength);
  return {
    kind: 'generator',
    name: name ?? network.name,
    network,
    weights,
    predictor,
    styles,
    vectorLength,
    training,
    license,
    origin,
  };
}

/** Name of the tensor by which a style vector changes a parameter. */
export const slopesName = (parameter: string): string => `${parameter}/slopes`;

/**
 * All parameters of a generator's network in one vector, in the order of `generatorParameters`.
 *
 * @param style the style vector, of the generator's `vectorLength`
 */
export function parametersOf(
  { network, weights }: Pick<Generator, 'network' | 'weights'>,
  style: ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  const vector = parameterVector(network, weights);
  for (const { name, shape, offset } of generatorParameters(network)) {
    const slopes = weights.get(slopesName(name));
    if (!slopes) continue;
    const channels = shape[0];
    for (let c = 0; c < channels; c++) {
      let sum = vector[offset + c];
      for (let i = 0; i < style.length; i++) sum += style[i] * slopes.values[i * channels + c];
      vector[offset + c] = sum;
    }
  }
  return vector;
}

function requireNames(network: GeneratorNetwork, styles: readonly string[], vectorLength: number): void {
  const count = Math.max(1, vectorLength);
  if (styles.length === 0 || styles.length === count) return;
  const accepted = `${count}, or none`;
  const message = `styles are ${styles.length} names, of ${showText(network.name)}; accepted: ${accepted}.`;
  throw new WeightsError('WRONG_WEIGHTS', message, { option: 'styles', value: styles, accepted });
}

function requirePredictor(predictor: StylePredictor, weights: NamedTensors, vectorLength: number): void {
  const steps = resolvePredictor(predictor);
  for (const { step } of steps)
    for (const { name, shape } of predictorTensors(step))
      requireFinite(predictor, name, tensorValues(predictor.name, name, shape, weights));
  const length = steps.at(-1)?.channels;
  if (length !== vectorLength)
    throw wrong(predictor, 'of its last step', `a vector of ${length} numbers`, `${vectorLength}`);
}

function requireFinite(network: { readonly name: string }, name: string, values: Float32Array): void {
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw wrong(network, name, `the number ${bad}`, 'finite numbers');
}

function wrong(
  network: { readonly name: string },
  name: string,
  value: string,
  accepted: string,
): WeightsError {
  const message = `Weights ${showText(name)} of ${showText(network.name)}: found ${value}; accepted: ${accepted}.`;
  return new WeightsError('WRONG_WEIGHTS', message, { option: name, value, accepted });
}
