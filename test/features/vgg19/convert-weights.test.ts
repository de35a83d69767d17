import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { convertWeights, type LayerWeights, type WeightFormat, weightMap } from '../../../src/features';
import type { ConvLayer } from '../../../src/features/vgg19/layers';
import { directoryWeights } from '../../../src/node/directory-weights';
import { madeLayer } from '../../support/small-model';
import '@tensorflow/tfjs-backend-cpu';

const layers: ConvLayer[] = ['conv1_1', 'conv1_2'];
const made = weightMap(
  { conv1_1: scaled(madeLayer('conv1_1')), conv1_2: scaled(madeLayer('conv1_2')) },
  { convention: 'torchvision' },
);
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Output channels of very different size, as trained ones are. */
function scaled({ kernel, bias }: LayerWeights): LayerWeights {
  const channels = bias.length;
  return { kernel: kernel.map((value, i) => value * 3 ** -((i % channels) % 7)), bias };
}

const convertedTo = async (format: WeightFormat) => {
  for (const { name, bytes } of await convertWeights(made, layers, { format }))
    await writeFile(join(folder, name), bytes);
  return directoryWeights(folder);
};

describe('converted weights', () => {
  it('are read like any others, with the convention that they have', async () => {
    for (const format of ['float16', 'int8'] as const) {
      const source = await convertedTo(format);
      const [original, read] = [await made.read(layers), await source.read(layers)];
      expect(source.convention).toBe('torchvision');
      expect(read.get('conv1_2')?.bias).toEqual(original.get('conv1_2')?.bias);
    }
  });

  it('in float16 are off by 2^-11 of each number at most, or 2^-25 where that is more', async () => {
    const [original, read] = [await made.read(layers), await (await convertedTo('float16')).read(layers)];
    const kernel = read.get('conv1_2')?.kernel ?? new Float32Array();
    for (const [i, value] of (original.get('conv1_2')?.kernel ?? kernel).entries())
      if (Math.abs(kernel[i] - value) > Math.max(2 ** -11 * Math.abs(value), 2 ** -25))
        expect(kernel[i]).toBe(value);
  });

  it("in int8 are off by half a step of their own channel's at most, and take a quarter", async () => {
    const files = await convertWeights(made, layers, { format: 'int8' });
    expect(files.map(({ name, bytes }) => [name, bytes.length]).slice(0, 2)).toEqual([
      ['block1_conv1.bin', 1728 + 256],
      ['block1_conv2.bin', 36864 + 256],
    ]);
    const [original, read] = [await made.read(layers), await (await convertedTo('int8')).read(layers)];
    const kernel = original.get('conv1_2')?.kernel ?? new Float32Array();
    const worst = new Float32Array(64);
    const largest = new Float32Array(64);
    for (const [i, value] of kernel.entries()) {
      const off = Math.abs((read.get('conv1_2')?.kernel[i] ?? Number.NaN) - value);
      worst[i % 64] = Math.max(worst[i % 64], off);
      largest[i % 64] = Math.max(largest[i % 64], Math.abs(value));
    }
    for (const [channel, off] of worst.entries())
      expect(off).toBeLessThanOrEqual((0.5001 / 127) * largest[channel]);
  });

  it('in float16 are what tfjs itself reads', async () => {
    await tf.setBackend('cpu');
    const files = await convertWeights(made, layers, { format: 'float16' });
    const byName = new Map(files.map(({ name, bytes }) => [name, bytes]));
    const { weightsManifest } = JSON.parse(new TextDecoder().decode(byName.get('model.json')));
    const [group] = weightsManifest as tf.io.WeightsManifestConfig;
    const tensors = tf.io.decodeWeights(
      byName.get(group.paths[0])?.buffer ?? new ArrayBuffer(0),
      group.weights,
    );
    const read = await (await convertedTo('float16')).read(['conv1_1']);
    expect(await tensors['block1_conv1/kernel'].data()).toEqual(read.get('conv1_1')?.kernel);
    tf.dispose(tensors);
  });

  it('may have channels of zeros', async () => {
    const empty = weightMap({ conv1_1: { kernel: new Float32Array(1728), bias: new Float32Array(64) } });
    for (const { name, bytes } of await convertWeights(empty, ['conv1_1'], { format: 'int8' }))
      await writeFile(join(folder, name), bytes);
    expect((await directoryWeights(folder).read(['conv1_1'])).get('conv1_1')?.kernel).toEqual(
      new Float32Array(1728),
    );
  });

  it('are of a known format', async () => {
    await expect(convertWeights(made, layers, { format: 'fp16' as never })).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
    });
  });
});
