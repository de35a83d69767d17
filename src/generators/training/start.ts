import { InvalidArgumentError } from '../../errors';
import type { Generator } from '../../features/generator';
import type { GeneratorNetwork } from '../../features/generator-network';
import { parameterVector } from '../../features/generator-parameters';
import { showText } from '../../options/show';
import type { NamedTensors } from '../../weights/tensor-file';
import { johnson } from '../architectures/johnson';
import type { TrainingSettings } from './options';

/** What a training starts from. */
export interface TrainingStart {
  readonly network: GeneratorNetwork;
  readonly weights: NamedTensors;
  /** The weights in one vector. */
  readonly parameters: Float32Array<ArrayBuffer>;
  /** Name of the generator that they are of; undefined from scratch. */
  readonly base: string | undefined;
}

/**
 * The base of a training, or weights from the seed.
 *
 * @throws InvalidArgumentError `WRONG_NETWORK` if `architecture` is not that of `base`, or `base` has many styles
 */
export async function startOf({
  architecture,
  base = architecture ? 'none' : 'own',
  seed,
}: Pick<TrainingSettings, 'architecture' | 'base' | 'seed'>): Promise<TrainingStart> {
  const { network, weights, name } = await chosen(architecture, base, seed);
  if (architecture && JSON.stringify(architecture.network) !== JSON.stringify(network))
    throw otherArchitecture(architecture.network, network);
  return { network, weights, parameters: parameterVector(network, weights), base: name };
}

async function chosen(
  architecture: TrainingSettings['architecture'],
  base: NonNullable<TrainingSettings['base']>,
  seed: number,
): Promise<Pick<Generator, 'network' | 'weights'> & { readonly name?: string }> {
  if (base === 'own') return (await import('../base')).ownBase();
  if (base !== 'none') {
    requireOneStyle(base);
    return base;
  }
  const { network, initialWeights, styles, predictor } = architecture ?? johnson();
  if (styles ?? predictor)
    throw manyStyles('architecture', network.name, 'is for many styles', 'an architecture of one style');
  return { network, weights: initialWeights(seed) };
}

/** Norms that a style vector determines cannot be trained for one style. */
function requireOneStyle({ name, vectorLength }: Generator): void {
  if (vectorLength === 0) return;
  throw manyStyles('base', name, `has a style vector of ${vectorLength} numbers`, 'a generator of one style');
}

function manyStyles(option: string, name: string, what: string, accepted: string): InvalidArgumentError {
  const message = `${option} is ${showText(name)}, which ${what}; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_NETWORK', message, { option, value: name, accepted });
}

function otherArchitecture(wanted: GeneratorNetwork, found: GeneratorNetwork): InvalidArgumentError {
  const accepted = "the architecture of the base, or base: 'none'";
  return new InvalidArgumentError(
    'WRONG_NETWORK',
    `architecture is ${showText(wanted.name)} with other steps than those of the base, ${showText(found.name)}; accepted: ${accepted}.`,
    { option: 'architecture', value: wanted.name, accepted },
  );
}
