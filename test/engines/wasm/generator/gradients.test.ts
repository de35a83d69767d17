import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createGeneratorProgram } from '../../../../src/engines/wasm/generator/generator-program';
import type { GeneratorNetwork } from '../../../../src/features/generator-network';
import type { Image } from '../../../../src/image/image';
import type { NamedTensors } from '../../../../src/weights/tensor-file';
import { generatorPicture } from '../../../support/generator-picture';
import { plainGenerator } from '../../../support/plain-generator';
import { smallGenerators, smallWeights } from '../../../support/small-generators';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const [height, width] = [12, 20];

/** The weight of each value of the image in the loss. */
const weightOf = (i: number) => Math.sin(1.3 * i) + 0.2;

/** The gradient of the weighted sum of the image's values with respect to all parameters. */
async function gradientOf(network: GeneratorNetwork, weights: NamedTensors, threads: number) {
  const program = await createGeneratorProgram({ network, weights, threads });
  try {
    const image = tf.tensor3d(generatorPicture(height, width), [height, width, 3]) as Image;
    const gradient = await program.gradients(
      image,
      (output) =>
        tf.tensor3d(
          Float32Array.from({ length: output.size }, (_, i) => weightOf(i)),
          output.shape,
        ),
      { seed: 5 },
    );
    image.dispose();
    return { gradient, parameters: program.parameters };
  } finally {
    program.dispose();
  }
}

describe.each(Object.entries(smallGenerators))('%s', (_name, network) => {
  const weights = smallWeights(network);

  it('gradients of all tensors are central differences of the definitions in double precision', async () => {
    const { gradient, parameters } = await gradientOf(network, weights, 1);
    const values = Float64Array.from(generatorPicture(height, width));
    const loss = (changed: string, tensor: Float64Array) => {
      const tensors = new Map<string, { values: ArrayLike<number> }>([
        ...weights,
        [changed, { values: tensor }],
      ]);
      return plainGenerator(network, tensors, { height, width, channels: 3, values }, 5).values.reduce(
        (sum, x, i) => sum + weightOf(i) * Math.min(1, Math.max(0, x)),
        0,
      );
    };
    for (const { name, shape, offset } of parameters) {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const own = gradient.subarray(offset, offset + size);
      const length = Math.hypot(...own);
      // Along directions that all components have a part in.
      for (const direction of [1, 2]) {
        const toward = Float64Array.from({ length: size }, (_, i) =>
          Math.cos(direction * 2.1 * i + direction),
        );
        const step = 1e-6;
        const moved = (by: number) =>
          Float64Array.from(toward, (d, i) => (weights.get(name)?.values[i] ?? Number.NaN) + by * d);
        const expected = (loss(name, moved(step)) - loss(name, moved(-step))) / (2 * step);
        const found = toward.reduce((sum, d, i) => sum + d * own[i], 0);
        const scale = length * Math.hypot(...toward);
        expect(Math.abs(found - expected), `${name}: ${found} in place of ${expected}`).toBeLessThan(
          2e-4 * scale + 2e-4,
        );
      }
    }
  });

  it('gradients are the same to the bit on one thread and on three', async () => {
    const [one, three] = [await gradientOf(network, weights, 1), await gradientOf(network, weights, 3)];
    expect(three.gradient).toEqual(one.gradient);
  });
});
