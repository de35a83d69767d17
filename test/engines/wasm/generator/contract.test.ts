import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe } from 'vitest';
import { createGeneratorProgram } from '../../../../src/engines/wasm/generator';
import { generatorProgramContract } from '../../../contracts/generator-program';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each([1, 2])("the wasm engine's program on %i threads", (threads) => {
  generatorProgramContract((generator) => createGeneratorProgram({ ...generator, threads }));
});
