import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../src/engines/wasm/wasm-extractor';
import { loadedVgg19 } from '../src/features/vgg19/network';
import { type Loss, sum, weighted } from '../src/losses';
import { createObjective } from '../src/objective';
import { tinyExtractor } from '../src/testing';
import { objectiveContract } from './contracts/objective';
import { randomWeights } from './engines/wasm/random-weights';
import { isGpu, onEachBackend } from './support/backends';
import { noise } from './support/images';
import './support/to-be-allclose';

/** A user's loss: the squared distance of the mean colour from grey. */
const grey: Loss = {
  name: 'grey',
  layers: ['image'],
  compute: ({ image }) =>
    tf.mean(tf.square(tf.sub(tf.mean(image as tf.Tensor4D, [0, 1, 2]), 0.5))) as tf.Scalar,
};

const network = loadedVgg19(randomWeights('conv2_2'), {
  lastLayer: 'conv2_2',
  convention: 'caffe',
  // A maximum has kinks, near which central differences say nothing.
  pooling: 'average',
  weightsName: 'random',
});

onEachBackend((backend) => {
  describe('an objective of any extractor', () =>
    objectiveContract(() => tinyExtractor({ seed: 3, pooling: 'average' }), { onGpu: isGpu(backend) }));
  // The cpu backend of tfjs takes minutes for whole layers of VGG-19.
  if (backend === 'wasm')
    describe('an objective of the tfjs engine', () => objectiveContract(() => createTfjsExtractor(network)));
  // The wasm engine reads tensors at once, which graphics processors do not allow.
  if (backend === 'cpu' || backend === 'wasm')
    describe.each([1, 2])('an objective of the wasm engine on %d threads', (threads) =>
      objectiveContract(() => createWasmExtractor({ ...network, threads })),
    );
});

describe('an objective', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('numbers parts of the same name', () => {
    const extractor = tinyExtractor();
    const image = noise(4, 4);
    const { terms } = createObjective(extractor, sum([grey, weighted(2, grey)]), [4, 4]).evaluate(image);
    expect(Object.keys(terms)).toEqual(['grey', 'grey 2']);
    expect(terms['grey 2']).toBeAllclose(2 * terms.grey.dataSync()[0]);
  });

  it('refuses a loss whose layers the extractor does not have', () => {
    const extractor = tinyExtractor({ layers: ['conv1_1'] });
    const loss: Loss = { ...grey, layers: ['conv2_1'] };
    expect(() => createObjective(extractor, loss, [4, 4])).toThrow(
      /needs layer 'conv2_1', which tiny network does not have.*has: image, conv1_1/,
    );
  });

  it.each([0, -1, Number.NaN, '1GB'])('refuses %s as room', (room) => {
    expect(() => createObjective(tinyExtractor(), grey, [4, 4], { room: room as number })).toThrow(
      expect.objectContaining({ code: 'OUT_OF_RANGE', option: 'room' }),
    );
  });
});
