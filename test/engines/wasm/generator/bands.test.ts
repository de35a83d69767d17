import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { chooseBanding } from '../../../../src/engines/wasm/generator/banding';
import { createGeneratorProgram } from '../../../../src/engines/wasm/generator/generator-program';
import { compileGraph } from '../../../../src/engines/wasm/generator/graph';
import { resolveSteps } from '../../../../src/features/generator-steps';
import { johnson } from '../../../../src/generators/architectures/johnson';
import type { Image } from '../../../../src/image/image';
import { generatorPicture } from '../../../support/generator-picture';
import { smallGenerators, smallWeights } from '../../../support/small-generators';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const [height, width] = [140, 36];
const networks = Object.entries({
  ...smallGenerators,
  johnson: johnson({ width: 4, blocks: 2, skip: true }).network,
});

describe.each(networks)('%s', (_name, network) => {
  const weights = smallWeights(network);
  const graph = compileGraph(resolveSteps(network));
  /** The least that bands take, and what a few whole maps take beside them. */
  const least = chooseBanding(graph, [height, width], 0).bytes;

  it.each([
    ['no map larger than it must be', 0],
    ['small maps kept as a whole', 1.5 * least],
  ])('computed by bands, with %s, an image is the same to rounding', async (_what, room) => {
    const { targets } = chooseBanding(graph, [height, width], room);
    expect(targets.at(-1)?.bands.length).toBeGreaterThan(1);
    const paint = async (room?: number) => {
      const program = await createGeneratorProgram({ network, weights, threads: 2, room });
      // What a band must not read is no number.
      const nothing = tf.fill([height, width, 3], Number.NaN) as Image;
      (await program.run(nothing)).dispose();
      const image = tf.tensor3d(generatorPicture(height, width), [height, width, 3]) as Image;
      const painted = await program.run(image, { seed: 5 });
      program.dispose();
      return painted.dataSync<'float32'>();
    };
    const [whole, banded] = [await paint(), await paint(room)];
    const worst = banded.reduce((most, x, i) => Math.max(most, Math.abs(x - whole[i])), 0);
    expect(worst).toBeLessThan(1e-5);
  });
});
