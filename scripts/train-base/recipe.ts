import { resolve } from 'node:path';
import { johnson } from '../../src/generators/architectures/johnson.ts';
import type { NodeTrainGeneratorOptions } from '../../src/node/index.ts';

const painting = (file: string) => resolve(import.meta.dirname, `../../examples/images/${file}.jpg`);

/** The name of the package's generator. */
export const name = 'own base';

export const architecture = johnson({ noise: 4 });

/**
 * The trainings of the package's generator, each of another painting than the one before and from what that one has
 * become, so that it is not made for one painting. Rates are higher later: kernels grow, and steps count relative to
 * them.
 */
export const stages = [
  { style: painting('style-garden'), drawn: 64, steps: 3000, finalSteps: 210, learningRate: 2e-3, seed: 1 },
  { style: painting('style-town'), drawn: 64, steps: 6000, finalSteps: 420, learningRate: 3e-3, seed: 2 },
  { style: painting('style-garden'), drawn: 64, steps: 9000, finalSteps: 630, learningRate: 3e-3, seed: 3 },
] satisfies readonly NodeTrainGeneratorOptions[];
