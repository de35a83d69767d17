import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkAllocations, requireMemory } from '../src/allocation';
import { expectNoLeak } from '../src/testing';

const refusal = expect.objectContaining({
  code: 'OUT_OF_MEMORY',
  message: expect.stringMatching(/^The wasm backend .* no memory left for \d+ MiB more; accepted: a smaller/),
});

describe('memory of the wasm backend', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
    await tf.ready();
  });
  afterAll(() => tf.removeBackend('wasm'));

  it('is checked at every allocation: what does not fit is refused, and nothing is overwritten', async () => {
    checkAllocations();
    checkAllocations();
    const kept = tf.randomUniform([2 ** 20]);
    const numbers = kept.dataSync().slice();
    const { wasm } = tf.backend() as unknown as { wasm: Record<'_malloc' | '_free', (n: number) => number> };
    // Memory that is never written takes none of the machine.
    const taken: number[] = [];
    for (let bytes = 2 ** 30; bytes > 2 ** 20; bytes /= 2) {
      try {
        for (;;) taken.push(wasm._malloc(bytes));
      } catch (error) {
        expect(error).toEqual(refusal);
      }
    }
    await expectNoLeak(() => {
      expect(() => tf.tidy(() => tf.add(tf.mul(kept, 2), kept))).toThrow(refusal);
    });
    for (const address of taken) wasm._free(address);
    await expectNoLeak(() => tf.add(kept, kept));
    expect(() => requireMemory(2 ** 32 - 2 ** 16)).toThrow(refusal);
    expect(() => requireMemory(2 ** 33)).toThrow(refusal);
    expect(() => requireMemory(2 ** 20)).not.toThrow();
    expect(kept.dataSync().every((value, i) => value === numbers[i])).toBe(true);
    kept.dispose();
  });

  it('is nothing that other backends are asked for', async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    expect(() => requireMemory(2 ** 40)).not.toThrow();
    await tf.setBackend('wasm');
  });
});
