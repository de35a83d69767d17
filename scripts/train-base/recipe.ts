import { resolve } from 'node:path';
import { johnson } from '../../src/generators/architectures/johnson.ts';
import type { NodeTrainGeneratorOptions } from '../../src/node/index.ts';

/** The training of the package's generator. */
export const recipe = {
  name: 'own base',
  style: resolve(import.meta.dirname, '../../examples/images/style-garden.jpg'),
  architecture: johnson(),
  base: 'none',
  steps: 1300,
  seed: 1,
} satisfies NodeTrainGeneratorOptions;

/** The step that the package's file is of, at most that of the recipe. */
export const takenAfter = 1300;
