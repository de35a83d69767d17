import { resolve } from 'node:path';
import { johnson } from '../../src/generators/architectures/johnson.ts';
import type { NodeTrainGeneratorOptions } from '../../src/node/index.ts';

const painting = (file: string) => resolve(import.meta.dirname, `../../examples/images/${file}.jpg`);

/** The name of the package's generator. */
export const name = 'own base';

/**
 * The trainings of the package's generator, each of another painting and from what the one before has become, so that
 * it is not made for one painting. The first has no noise, whose channels the second one adds.
 */
export const stages = [
  {
    style: painting('style-garden'),
    architecture: johnson(),
    steps: 1300,
    learningRate: 2e-3,
    seed: 1,
  },
  {
    style: painting('style-town'),
    architecture: johnson({ noise: 4 }),
    steps: 1800,
    learningRate: 2e-3,
    seed: 2,
  },
] satisfies readonly NodeTrainGeneratorOptions[];
