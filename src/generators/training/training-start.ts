import { InvalidArgumentError } from '../../errors';
import type { Generator } from '../../features/generator';
import type { GeneratorNetwork } from '../../features/generator-network';
import { showText } from '../../options/show';
import type { NamedTensors } from '../../weights/tensor-file';
import type { TrainedParameters } from './trained-parameters';

/** What a training starts from. */
export interface TrainingStart {
  readonly network: GeneratorNetwork;
  readonly weights: NamedTensors;
  /** The numbers that are trained. */
  readonly parameters: TrainedParameters;
  /** Names of the styles that are trained, of a training of several. */
  readonly styles: readonly string[] | undefined;
  /** Whether nothing but the scales and shifts of new styles is trained. */
  readonly added: boolean;
  /** Name of the generator that they are of; undefined from scratch. */
  readonly base: string | undefined;
  /** Weights and names of styles of the generator that trained numbers give. */
  trained(values: Float32Array): { readonly weights: NamedTensors; readonly styles: readonly string[] };
}

/** A network with weights to start from. */
export type Source = Pick<Generator, 'network' | 'weights' | 'styles' | 'vectorLength'> & {
  /** Undefined from scratch. */
  readonly name: string | undefined;
};

/** The error for an architecture that is not the base's. */
export function otherArchitecture(wanted: GeneratorNetwork, found: GeneratorNetwork): InvalidArgumentError {
  const accepted = "the architecture of the base, or base: 'none'";
  return new InvalidArgumentError(
    'WRONG_NETWORK',
    `architecture is ${showText(wanted.name)} with other steps than those of the base, ${showText(found.name)}; accepted: ${accepted}.`,
    { option: 'architecture', value: wanted.name, accepted },
  );
}
