import { describe, expect, it } from 'vitest';
import { adamUpdate, noMoments } from '../../../src/generators/training/adam-update';
import { GradientClip } from '../../../src/generators/training/gradient-clip';
import { learningRateAt } from '../../../src/generators/training/learning-rate';
import {
  cropSizeAt,
  pixelsBefore,
  trainingStages,
  usualFinalSteps,
} from '../../../src/generators/training/stages';

describe('learningRateAt', () => {
  it('rises over twenty steps and falls along a cosine to a twentieth', () => {
    const at = (step: number) => learningRateAt(0.002, step, 1000);
    expect(at(0)).toBeCloseTo(0.002 / 20, 8);
    expect(at(9)).toBeCloseTo(0.001, 6);
    // Half of the way down: the mean of 1 and 0.05.
    expect(at(500)).toBeCloseTo(0.002 * 0.525, 8);
    expect(at(999)).toBeCloseTo(0.0001, 6);
  });
});

describe('GradientClip', () => {
  it('shortens a gradient to five times the running norm, and lets it count for no more', () => {
    const clip = new GradientClip();
    expect(clip.factor(2, 0)).toBe(1);
    expect(clip.average).toBe(2);
    expect(clip.factor(40, 7)).toBeCloseTo(10 / 40, 12);
    expect(clip.average).toBeCloseTo(0.98 * 2 + 0.02 * 10, 12);
    expect(clip.factor(10, 8)).toBe(1);
  });

  it('shortens none of the first five, of which the average is not known', () => {
    const clip = new GradientClip(1);
    expect(clip.factor(100, 4)).toBe(1);
    expect(clip.factor(100, 5)).toBeLessThan(1);
  });
});

describe('adamUpdate', () => {
  it('moves by the rate against the sign of the gradient at the first step, whatever its length', () => {
    const parameters = Float32Array.of(1, 1, 1);
    adamUpdate(parameters, noMoments(3), Float32Array.of(5, -1e-3, 0), { rate: 0.1, step: 0, factor: 1 });
    for (const [i, value] of [0.9, 1.1, 1].entries()) expect(parameters[i]).toBeCloseTo(value, 4);
  });

  it('is that of Kingma and Ba at the second step, with decay rates 0.9 and 0.99', () => {
    const parameters = Float32Array.of(0);
    const moments = noMoments(1);
    for (const [step, gradient] of [1, 3].entries())
      adamUpdate(parameters, moments, Float32Array.of(gradient), { rate: 0.1, step, factor: 2 });
    // Twice the gradients: 2 and 6. m = 0.9 * 0.2 + 0.1 * 6 = 0.78, v = 0.99 * 0.04 + 0.01 * 36 = 0.3996.
    const second = (0.1 * (0.78 / 0.19)) / Math.sqrt(0.3996 / 0.0199);
    expect(parameters[0]).toBeCloseTo(-0.1 - second, 5);
  });
});

describe('trainingStages', () => {
  it('are crops of half the size, then of the whole size', () => {
    const stages = trainingStages(400, 256, 28);
    expect(stages).toEqual([
      { size: 128, steps: 372 },
      { size: 256, steps: 28 },
    ]);
    expect([0, 371, 372, 399].map((step) => cropSizeAt(stages, step))).toEqual([128, 128, 256, 256]);
    expect(() => cropSizeAt(stages, 400)).toThrow(RangeError);
    expect(pixelsBefore(stages, 373)).toBe(372 * 128 ** 2 + 256 ** 2);
  });

  it('have more steps of the whole size where there are more, at most half', () => {
    const ofOne = [3, 100, 400, 800, 1600, 9000].map((steps) => usualFinalSteps(steps, 1));
    expect(ofOne).toEqual([0, 3, 50, 200, 800, 4500]);
    expect(usualFinalSteps(800, 2)).toBe(100);
  });

  it('are one where there are few steps', () => {
    expect(trainingStages(3, 64, 0)).toEqual([{ size: 32, steps: 3 }]);
    expect(trainingStages(3, 64, 3)).toEqual([{ size: 64, steps: 3 }]);
  });
});
