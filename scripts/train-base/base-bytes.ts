import { generatorParameters, namedParameters } from '../../src/features/generator-parameters.ts';
import { encodeGenerator } from '../../src/generators/file/encode-generator.ts';
import { createGenerator } from '../../src/generators/generator.ts';
import type { Bytes } from '../../src/storage/byte-store.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { recipe, takenAfter } from './recipe.ts';

/** The file of the package's generator, with kernels in 8 bits, from the checkpoint of its training. */
export function baseBytes(checkpoint: Bytes): Bytes {
  const { tensors, metadata } = readSafetensors(checkpoint, 'the checkpoint');
  const { step } = JSON.parse(metadata.get('step') ?? '{}');
  if (step !== takenAfter) throw new Error(`The checkpoint is of step ${step}, not of step ${takenAfter}.`);
  const { network } = recipe.architecture;
  const values = tensors.get('parameters')?.values as Float32Array;
  const generator = createGenerator({
    name: recipe.name,
    network,
    weights: namedParameters(generatorParameters(network), values),
    training: { ...JSON.parse(metadata.get('identity') ?? '{}'), base: 'none', takenAfter },
    license: 'MIT',
  });
  return encodeGenerator(generator, { quantize: true });
}
