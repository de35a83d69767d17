import { describe, expect, it } from 'vitest';
import { Random } from '../src/random';

const draw = (count: number, number: () => number) => Array.from({ length: count }, number);

describe('Random', () => {
  it('gives the same numbers for the same seed and others for another', () => {
    const [a, b, c] = [7, 7, 8].map((seed) => new Random(seed));
    const first = draw(20, () => a.uniform());
    expect(draw(20, () => b.uniform())).toEqual(first);
    expect(draw(20, () => c.uniform())).not.toEqual(first);
  });

  it('is uniform: every tenth of the range holds a tenth of the numbers', () => {
    const random = new Random(1);
    const counts = new Array(10).fill(0);
    for (const value of draw(20_000, () => random.uniform(-1, 1))) counts[Math.floor((value + 1) * 5)]++;
    // Five standard deviations of a count: 5 sqrt(20000 * 0.1 * 0.9) = 212.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(212);
  });

  it('is normal: mean, variance and the part within one deviation', () => {
    const random = new Random(1);
    const values = draw(20_000, () => random.normal(3, 2));
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const within = values.filter((value) => Math.abs(value - 3) < 2).length / values.length;
    expect(mean).toBeCloseTo(3, 1);
    expect(variance / 4).toBeCloseTo(1, 1);
    expect(within).toBeCloseTo(0.683, 1);
  });

  it("follows Pareto's law: P(x > 2) = 2^-shape", () => {
    const random = new Random(1);
    const values = draw(20_000, () => random.pareto(2));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(1);
    expect(values.filter((value) => value > 2).length / values.length).toBeCloseTo(0.25, 1);
  });

  it('samples without repetition', () => {
    const chosen = new Random(1).sample(50, 60);
    expect(new Set(chosen).size).toBe(50);
    expect(chosen.every((value) => Number.isInteger(value) && value >= 0 && value < 60)).toBe(true);
  });
});
