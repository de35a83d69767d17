import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createGeneratorProgram } from '../../../../src/engines/wasm/generator/generator-program';
import type { Image } from '../../../../src/image/image';
import { generatorPicture } from '../../../support/generator-picture';
import { plainGenerator } from '../../../support/plain-generator';
import { smallGenerators, smallWeights } from '../../../support/small-generators';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(Object.entries(smallGenerators))('%s', (_name, network) => {
  it.each([
    [12, 20],
    [44, 36],
  ])('an image of %i x %i is that of the definitions, to the bit on any threads', async (height, width) => {
    const weights = smallWeights(network);
    const values = generatorPicture(height, width);
    const expected = plainGenerator(
      network,
      weights,
      { height, width, channels: 3, values: Float64Array.from(values) },
      5,
    ).values.map((x) => Math.min(1, Math.max(0, x)));
    const paint = async (threads: number) => {
      const program = await createGeneratorProgram({ network, weights, threads });
      const image = tf.tensor3d(values, [height, width, 3]) as Image;
      const painted = await program.run(image, { seed: 5 });
      program.dispose();
      return painted.dataSync<'float32'>();
    };
    const found = await paint(1);
    const worst = found.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0);
    expect(worst).toBeLessThan(2e-5);
    expect(await paint(3)).toEqual(found);
  });
});
