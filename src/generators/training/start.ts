import { InvalidArgumentError } from '../../errors';
import type { GeneratorNetwork } from '../../features/generator-network';
import { parameterVector } from '../../features/generator-parameters';
import { showText } from '../../options/show';
import type { NamedTensors } from '../../weights/tensor-file';
import { johnson } from '../architectures/johnson';
import type { Generator } from '../generator';
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
 * @throws InvalidArgumentError `WRONG_NETWORK` if `architecture` is not that of `base`
 */
export async function startOf({
  architecture,
  base = 'none',
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
  if (base !== 'none') return base;
  const { network, initialWeights } = architecture ?? johnson();
  return { network, weights: initialWeights(seed) };
}

function otherArchitecture(wanted: GeneratorNetwork, found: GeneratorNetwork): InvalidArgumentError {
  const accepted = "the architecture of the base, or base: 'none'";
  return new InvalidArgumentError(
    'WRONG_NETWORK',
    `architecture is ${showText(wanted.name)} with other steps than those of the base, ${showText(found.name)}; accepted: ${accepted}.`,
    { option: 'architecture', value: wanted.name, accepted },
  );
}
