import { describe, expect, it } from 'vitest';
import { noMoments } from '../../../src/generators/training/adam-update';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainingState,
} from '../../../src/generators/training/checkpoint';
import { safetensorsBytes } from '../../../src/weights/safetensors-writer';

const identity = { steps: 400, preset: 'relative', style: 'abc' };

const state: TrainingState = {
  step: 75,
  parameters: Float32Array.of(1 / 3, -2e-30, 5),
  moments: { mean: Float32Array.of(0.1, 0, 7), square: Float32Array.of(0, 1e-12, 3) },
  averageNorm: 1 / 7,
  meanLoss: Math.PI,
};

describe('a checkpoint', () => {
  it('gives every bit of the state back', () => {
    expect(decodeCheckpoint('a', encodeCheckpoint(identity, state), identity)).toEqual(state);
    const fresh: TrainingState = {
      step: 0,
      parameters: new Float32Array(2),
      moments: noMoments(2),
      averageNorm: undefined,
      meanLoss: undefined,
    };
    expect(decodeCheckpoint('a', encodeCheckpoint(identity, fresh), identity)).toEqual(fresh);
  });

  it('of another training is refused, with what differs', () => {
    const bytes = encodeCheckpoint(identity, state);
    expect(() => decodeCheckpoint('a.training', bytes, { ...identity, steps: 500, style: 'abd' })).toThrow(
      expect.objectContaining({
        code: 'WRONG_CHECKPOINT',
        option: 'checkpoint',
        message: expect.stringMatching(/a\.training.*steps is 500 here and 400 there; also different: style/),
      }),
    );
  });

  it.each([
    ['bytes of something else', new Uint8Array(40).fill(3)],
    ['no bytes', new Uint8Array(0)],
    ['another safetensors file', safetensorsBytes(new Map())],
    [
      'one of another version of trainings',
      safetensorsBytes(new Map(), { format: 'tfjs-style-transfer training', formatVersion: '1' }),
    ],
    ['one cut off', encodeCheckpoint(identity, state).slice(0, -4)],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => decodeCheckpoint('a', bytes, identity)).toThrow(
      expect.objectContaining({ code: 'MALFORMED_CHECKPOINT', option: 'checkpoint' }),
    );
  });
});
