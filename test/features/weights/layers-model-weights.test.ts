import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { directoryWeights } from '../../../src/node/directory-weights';
import { hasShared, shared } from '../../support/shared';

describe.skipIf(!hasShared('vgg19'))('VGG-19 in a directory', () => {
  it('gives the numbers that lie in the shards', async () => {
    const weights = await directoryWeights(shared('vgg19')).read(['conv1_1', 'conv2_2']);
    const stored = readFileSync(shared('vgg19/group4-shard1of1'));
    const numbers = new Float32Array(
      stored.buffer.slice(stored.byteOffset, stored.byteOffset + stored.length),
    );
    expect([...weights.keys()]).toEqual(['conv1_1', 'conv2_2']);
    expect(weights.get('conv2_2')?.kernel).toEqual(numbers.subarray(0, 147456));
    expect(weights.get('conv2_2')?.bias).toEqual(numbers.subarray(147456));
  });
});
