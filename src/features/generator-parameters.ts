import { InvalidArgumentError } from '../errors';
import { sizeOf } from '../weights/tensor-file';
import type { GeneratorNetwork, GeneratorStep } from './generator-network';
import { type NamedTensors, tensorValues } from './network';

/** A tensor's place in the vector of all parameters. */
export interface GeneratorParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of its first value. */
  readonly offset: number;
}

/** The tensors of a generator's steps, in the order of the steps; one that several steps name has one place. */
export function generatorParameters({ steps }: GeneratorNetwork): readonly GeneratorParameter[] {
  const places = new Map<string, GeneratorParameter>();
  let offset = 0;
  for (const step of steps) {
    for (const { name, shape } of tensorsOf(step)) {
      if (places.has(name)) continue;
      places.set(name, { name, shape, offset });
      offset += sizeOf(shape);
    }
  }
  return [...places.values()];
}

/** The number of values in the vector of all parameters. */
export function parameterCount(parameters: readonly GeneratorParameter[]): number {
  const last = parameters.at(-1);
  return last ? last.offset + sizeOf(last.shape) : 0;
}

/**
 * All parameters in one vector, a copy.
 * @throws WeightsError `WRONG_WEIGHTS` if a tensor is missing or has another shape
 */
export function parameterVector(network: GeneratorNetwork, weights: NamedTensors): Float32Array<ArrayBuffer> {
  const parameters = generatorParameters(network);
  const vector = new Float32Array(parameterCount(parameters));
  for (const { name, shape, offset } of parameters)
    vector.set(tensorValues(network.name, name, shape, weights), offset);
  return vector;
}

/** The parameters of a vector as named tensors, which share its memory. */
export function namedParameters(
  parameters: readonly GeneratorParameter[],
  vector: Float32Array,
): NamedTensors {
  requireLength(parameters, vector);
  return new Map(
    parameters.map(({ name, shape, offset }) => [
      name,
      { shape, values: vector.subarray(offset, offset + sizeOf(shape)) },
    ]),
  );
}

/** Throws unless a vector has a value for each parameter. */
export function requireLength(parameters: readonly GeneratorParameter[], vector: Float32Array): void {
  const expected = parameterCount(parameters);
  if (vector instanceof Float32Array && vector.length === expected) return;
  const accepted = `a Float32Array of ${expected} numbers`;
  const found = vector instanceof Float32Array ? `${vector.length} numbers` : typeof vector;
  throw new InvalidArgumentError('WRONG_LENGTH', `The parameters are ${found}; accepted: ${accepted}.`, {
    option: 'values',
    value: found,
    accepted,
  });
}

/** Name and shape of each tensor that a step needs. */
export function tensorsOf(
  step: GeneratorStep,
): readonly { readonly name: string; readonly shape: readonly number[] }[] {
  if (step.op === 'instanceNorm') {
    const shape = [step.channels];
    return [
      { name: step.scale, shape },
      { name: step.shift, shape },
    ];
  }
  if (step.op !== 'conv' && step.op !== 'transposedConv') return [];
  const { size, channelsIn, channelsOut, kernel, bias } = step;
  const kernels = { name: kernel, shape: [size, size, channelsIn, channelsOut] };
  return bias === undefined ? [kernels] : [kernels, { name: bias, shape: [channelsOut] }];
}
