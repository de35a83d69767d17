import { describe } from 'vitest';
import { createTfjsGenerator } from '../../../src/engines/tfjs/generator/tfjs-generator';
import { generatorProgramContract } from '../../contracts/generator-program';
import { onEachBackend } from '../../support/backends';

describe('a generator on tfjs operations', () => {
  onEachBackend(() => generatorProgramContract(async (generator) => createTfjsGenerator(generator)));
});
