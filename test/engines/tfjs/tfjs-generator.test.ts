import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { peakBytes } from '../../../src/engines/tfjs/generator/require-room';
import { createTfjsGenerator } from '../../../src/engines/tfjs/generator/tfjs-generator';
import { resolveSteps } from '../../../src/features/generator-steps';
import { johnson } from '../../../src/generators/architectures/johnson';
import { generatorProgramContract } from '../../contracts/generator-program';
import { isGpu, onEachBackend } from '../../support/backends';

describe('an image that is too large for tfjs-wasm', () => {
  it('is refused before any work, by its memory', async () => {
    await tf.setBackend('wasm');
    const { network, initialWeights } = johnson({ width: 256, blocks: 0 });
    // What is held at most is seen at the last enlargement: maps of the image's size, of 256 and of 512 channels.
    const pixels = 1024 ** 2;
    expect(peakBytes(resolveSteps(network), pixels)).toBeGreaterThan(4 * pixels * (2 * 256 + 512));
    const program = createTfjsGenerator({ network, weights: initialWeights(1) });
    const image = tf.zeros([1024, 1024, 3]) as tf.Tensor3D;
    await expect(program.run(image)).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      option: 'image',
      message: expect.stringMatching(/1024x1024 pixels.* GB .*engine 'wasm'/),
    });
    image.dispose();
    program.dispose();
  });
});

describe('a generator on tfjs operations', () => {
  onEachBackend((backend) =>
    generatorProgramContract(async (generator) => createTfjsGenerator(generator), { onGpu: isGpu(backend) }),
  );
});
