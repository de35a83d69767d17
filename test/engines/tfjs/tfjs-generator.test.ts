import { describe } from 'vitest';
import { createTfjsGenerator } from '../../../src/engines/tfjs/generator/tfjs-generator';
import { generatorProgramContract } from '../../contracts/generator-program';
import { isGpu, onEachBackend } from '../../support/backends';

describe('a generator on tfjs operations', () => {
  onEachBackend((backend) =>
    generatorProgramContract(async (generator) => createTfjsGenerator(generator), { onGpu: isGpu(backend) }),
  );
});
