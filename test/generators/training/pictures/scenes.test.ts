import { describe, expect, it } from 'vitest';
import { deadLeaves } from '../../../../src/generators/training/pictures/dead-leaves';
import { scenes } from '../../../../src/generators/training/pictures/scenes';
import type { RgbPixels } from '../../../../src/image/pixel-array';
import { Random } from '../../../../src/random';

const side = 128;

/** The part of a picture's blocks of 8 x 8 pixels whose values deviate by less than 0.04 from each channel's mean. */
function smoothPart({ data }: RgbPixels): number {
  const deviation = (values: readonly number[]) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  };
  let [smooth, blocks] = [0, 0];
  for (let top = 0; top < side; top += 8) {
    for (let left = 0; left < side; left += 8) {
      const channels = [0, 1, 2].map((c) =>
        Array.from({ length: 64 }, (_, i) => data[3 * ((top + (i >> 3)) * side + left + (i & 7)) + c]),
      );
      if (channels.every((values) => deviation(values) < 0.04)) smooth++;
      blocks++;
    }
  }
  return smooth / blocks;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
const seeds = Array.from({ length: 12 }, (_, i) => i);

describe('scenes', () => {
  it('draws the same picture from the same seed, and another from another, in [0,1]', () => {
    const [first, again, other] = [1, 1, 2].map((seed) => scenes(new Random(seed), side));
    expect(first).toEqual(again);
    expect(first.data).not.toEqual(other.data);
    expect([first.width, first.height, first.data.length]).toEqual([side, side, 3 * side * side]);
    for (const { data } of [first, other]) expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it('has wide smooth surfaces, which leaves do not have', () => {
    const ofScenes = mean(seeds.map((seed) => smoothPart(scenes(new Random(seed), side))));
    const ofLeaves = mean(seeds.map((seed) => smoothPart(deadLeaves(new Random(seed), side))));
    expect(ofScenes).toBeGreaterThan(0.4);
    expect(ofScenes).toBeGreaterThan(2 * ofLeaves);
  });
});
