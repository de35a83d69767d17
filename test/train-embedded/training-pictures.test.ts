import { describe, expect, it } from 'vitest';
import { trainingPictures } from '../../scripts/train-embedded/training-pictures';

describe('trainingPictures', () => {
  const counts = { strokes: 2, deadLeaves: 2, stripes: 2, clouds: 2 };
  const pictures = [...trainingPictures(counts, 32, 1)];

  it('draws as many of each kind as asked, of one size, in [0,1]', () => {
    expect(pictures.length).toBe(8);
    for (const { data, width, height } of pictures) {
      expect([width, height, data.length]).toEqual([32, 32, 3072]);
      expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });

  it('draws the same pictures from the same seed, and others from another', () => {
    expect([...trainingPictures(counts, 32, 1)]).toEqual(pictures);
    const others = [...trainingPictures(counts, 32, 2)];
    for (const [i, { data }] of others.entries()) expect(data).not.toEqual(pictures[i].data);
  });

  it('draws no empty ones', () => {
    for (const { data } of pictures) {
      const mean = data.reduce((a, b) => a + b) / data.length;
      const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
      expect(Math.sqrt(variance)).toBeGreaterThan(0.02);
    }
  });
});
