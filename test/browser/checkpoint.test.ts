import { describe, expect, it } from 'vitest';
import { browserCheckpoint } from '../../src/generators';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/generators/training/checkpoint';

const vector = (...values: number[]) => Float32Array.of(...values);

describe('browserCheckpoint', () => {
  it('keeps the state of a training for another page of this origin, until it is deleted', async () => {
    const checkpoint = browserCheckpoint('mosaic');
    await checkpoint.delete();
    expect(await checkpoint.read()).toBeUndefined();
    const state = {
      step: 3,
      parameters: vector(1, 2),
      moments: { mean: vector(3, 4), square: vector(5, 6) },
      averageNorm: 0.1,
      meanLoss: 2,
    };
    await checkpoint.write(encodeCheckpoint({ seed: 0 }, state));
    await checkpoint.write(encodeCheckpoint({ seed: 0 }, { ...state, step: 4 }));
    const found = await browserCheckpoint('mosaic').read();
    expect(decodeCheckpoint('mosaic', found as Uint8Array<ArrayBuffer>, { seed: 0 })).toEqual({
      ...state,
      step: 4,
    });
    expect(await browserCheckpoint('wave').read()).toBeUndefined();
    await checkpoint.delete();
    expect(await checkpoint.read()).toBeUndefined();
  });

  it('refuses a name that is none', () => {
    expect(() => browserCheckpoint('')).toThrow('accepted: a text that is not empty');
  });
});
