import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadVgg19, tfjs, wasm } from '../../src/engines';
import { weightsHash } from '../../src/features';
import { networkIdentity } from '../../src/features/network-identity';
import { tinyExtractor } from '../../src/testing';
import '../support/backends';

const sha = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

describe('the identity of a network', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('hashes the input and every tensor up to a layer, by name and shape', async () => {
    const kernel = Float32Array.from({ length: 27 }, (_, i) => i / 8);
    const bias = Float32Array.of(0.5);
    const identity = networkIdentity({
      network: {
        name: 'one convolution',
        input: { scale: [1, 2, 3], offset: [0, 0, 0.25] },
        steps: [
          { op: 'conv', name: 'conv1_1', channelsIn: 3, channelsOut: 1, kernel: 'k', bias: 'b' },
          { op: 'relu', name: 'relu1_1' },
        ],
      },
      weights: new Map([
        ['k', { shape: [3, 3, 3, 1], values: kernel }],
        ['b', { shape: [1], values: bias }],
      ]),
      weightsName: 'made',
    });
    const lines = [
      'input [[1,2,3],[0,0,0.25]]',
      `k [3,3,3,1] ${sha(new Uint8Array(kernel.buffer))}`,
      `b [1] ${sha(new Uint8Array(bias.buffer))}`,
    ];
    expect(await identity.weightsHash()).toBe(sha(lines.join('\n')));
    expect(await identity.weightsHash('image')).toBe(sha(lines[0]));
    // Numbers that change later do not change the hash: it is that of what was loaded.
    kernel.fill(0);
    expect(await identity.weightsHash('relu1_1')).toBe(sha(lines.join('\n')));
    expect([identity.network, identity.pooling]).toEqual(['one convolution', undefined]);
  });

  it('is that of the weights, whatever the engine and the last layer that was loaded', async () => {
    const load = (options: Parameters<typeof loadVgg19>[0]) => loadVgg19({ weights: 'embedded', ...options });
    const extractors = [
      await load({ engine: tfjs() }),
      await load({ engine: wasm({ threads: 1 }) }),
      await load({ engine: tfjs(), lastLayer: 'relu2_1', pooling: 'average', padding: 'reflect' }),
    ];
    const hashes = await Promise.all(extractors.map((extractor) => weightsHash(extractor, 'relu2_1')));
    expect(new Set(hashes).size).toBe(1);
    expect(await weightsHash(extractors[0])).toBe(await weightsHash(extractors[1], 'conv3_1'));
    expect(await weightsHash(extractors[0])).not.toBe(hashes[0]);
    expect(extractors.map(({ identity }) => identity?.pooling)).toEqual(['max', 'max', 'average']);
    expect(extractors.map(({ identity }) => identity?.padding)).toEqual(['zero', 'zero', 'reflect']);
    for (const extractor of extractors) extractor.dispose();
  });

  it('differs between weights, and is unknown for an extractor that does not state it', async () => {
    const [one, same, other] = [1, 1, 2].map((seed) => tinyExtractor({ seed }));
    expect(await weightsHash(one)).toBe(await weightsHash(same));
    expect(await weightsHash(one)).not.toBe(await weightsHash(other));
    const { identity: _, ...custom } = one;
    expect(await weightsHash(custom)).toBeUndefined();
  });
});
