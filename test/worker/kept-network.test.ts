import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { anyPlatform } from '../../src/platform';
import { KeptNetwork } from '../../src/worker/program/kept-network';

const small = { weights: 'embedded', lastLayer: 'conv1_2', threads: 1 } as const;

describe('the network that a worker keeps', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('is the same for runs that ask for the same, however often they dispose it', async () => {
    const kept = new KeptNetwork();
    const first = await kept.load(anyPlatform, small);
    first.dispose();
    expect(await kept.load(anyPlatform, { ...small, signal: new AbortController().signal })).toBe(first);
    const features = first.extract(tf.zeros([16, 16, 3]), ['conv1_2']);
    expect(features.conv1_2?.shape).toEqual([1, 16, 16, expect.any(Number)]);
    tf.dispose(features as never);
  });

  it('ends when another takes its place', async () => {
    const kept = new KeptNetwork();
    const first = await kept.load(anyPlatform, small);
    const second = await kept.load(anyPlatform, { ...small, lastLayer: 'conv1_1' });
    expect(second).not.toBe(first);
    expect(() => first.extract(tf.zeros([16, 16, 3]), ['conv1_1'])).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    );
  });

  it('is none of weights without a name, or of the embedded network where VGG-19 may be cached meanwhile', async () => {
    const kept = new KeptNetwork();
    const chosen = await kept.load(anyPlatform, { ...small, weights: undefined });
    expect(await kept.load(anyPlatform, { ...small, weights: undefined })).not.toBe(chosen);
    const { embeddedWeights } = await import('../../src/features/vgg19/embedded');
    const source = { ...small, weights: embeddedWeights };
    expect(await kept.load(anyPlatform, source)).not.toBe(await kept.load(anyPlatform, source));
  });
});
