import { describe, expect, it } from 'vitest';
import { borderContrast, colourNoise, type Pixels } from '../../scripts/compare-presets/measures';

/** A picture of which each pixel is made from its position. */
function picture(side: number, colour: (x: number, y: number) => readonly number[]): Pixels {
  const positions = Array.from({ length: side * side }, (_, i) => [i % side, Math.floor(i / side)]);
  return { data: positions.flatMap(([x, y]) => [...colour(x, y)]), width: side, height: side };
}

/** Numbers in [0,1) without a pattern. */
const scattered = (x: number, y: number) => Math.abs(Math.sin(12.9898 * x + 78.233 * y) * 43758.5453) % 1;

describe('colour noise', () => {
  it('is the mean magnitude of the Laplacians of R - Y and B - Y', () => {
    // A chessboard of red and black: R - Y is 0.701 or 0, B - Y is -0.299 or 0; each differs from its four neighbours.
    const board = picture(8, (x, y) => [(x + y) % 2, 0, 0]);
    expect(colourNoise(board)).toBeCloseTo((4 * (0.701 + 0.299)) / 2, 6);
  });

  it('is none in grey, however rough, and none in a ramp of colours', () => {
    expect(colourNoise(picture(8, (x, y) => [0, 1, 2].map(() => scattered(x, y))))).toBeCloseTo(0, 9);
    expect(colourNoise(picture(8, (x, y) => [x / 8, y / 8, 0.5]))).toBeCloseTo(0, 9);
  });
});

describe('contrast along the border', () => {
  const rough = (x: number, y: number) => [scattered(x, y), scattered(x + 100, y), scattered(x, y + 100)];

  it('is about 1 where a picture goes on to its border', () => {
    expect(borderContrast(picture(64, rough))).toBeGreaterThan(0.9);
    expect(borderContrast(picture(64, rough))).toBeLessThan(1.1);
  });

  it('is more with a strip of another colour, and less with a washed-out one', () => {
    const atBorder = (x: number, y: number) => Math.min(x, y, 63 - x, 63 - y) < 2;
    const smooth = (x: number, y: number) => [0.5 + 0.2 * Math.sin(x / 5), 0.5 + 0.2 * Math.sin(y / 5), 0.4];
    expect(
      borderContrast(picture(64, (x, y) => (atBorder(x, y) ? [1, 1, 0] : smooth(x, y)))),
    ).toBeGreaterThan(2);
    const grey = (x: number, y: number) =>
      Math.min(x, y, 63 - x, 63 - y) < 8 ? [0.5, 0.5, 0.5] : rough(x, y);
    expect(borderContrast(picture(64, grey))).toBeLessThan(0.5);
  });
});
