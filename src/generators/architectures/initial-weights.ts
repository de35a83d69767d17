import type { GeneratorNetwork } from '../../features/generator-network';
import { noiseValues } from '../../features/generator-noise';
import { tensorsOf } from '../../features/generator-parameters';
import { type NamedTensor, type NamedTensors, sizeOf } from '../../weights/tensor-file';

/**
 * Weights of an untrained generator: norms that change nothing, kernels and biases uniform within 1 / sqrt(values that
 * an output is a sum of), as PyTorch's convolutions start.
 */
export function initialWeights(network: Pick<GeneratorNetwork, 'steps'>, seed: number): NamedTensors {
  const weights = new Map<string, NamedTensor>();
  for (const [i, step] of network.steps.entries()) {
    for (const [k, { name, shape }] of tensorsOf(step).entries()) {
      if (weights.has(name)) continue;
      const size = sizeOf(shape);
      const values =
        step.op === 'conv' || step.op === 'transposedConv'
          ? uniform(size, 1 / Math.sqrt(step.size ** 2 * step.channelsIn), seed, 2 * i + k)
          : new Float32Array(size).fill(k === 0 ? 1 : 0);
      weights.set(name, { shape, values });
    }
  }
  return weights;
}

/** Numbers in [-bound, bound). */
const uniform = (length: number, bound: number, seed: number, stream: number): Float32Array =>
  noiseValues(seed, stream, length).map((value) => bound * (2 * value - 1));
