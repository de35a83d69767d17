import { describe, expect, it } from 'vitest';
import { Canvas } from '../../../../src/generators/training/pictures/canvas';

const red = [1, 0, 0];

/** How many pixels are red. */
function area({ pixels }: Canvas): number {
  return pixels.filter((value, i) => i % 3 === 0 && value === 1).length;
}

describe('Canvas', () => {
  it('fills a polygon: the pixels whose centres are inside', () => {
    const canvas = new Canvas(32);
    canvas.polygon(
      [
        { x: 2, y: 3 },
        { x: 12, y: 3 },
        { x: 12, y: 9 },
        { x: 2, y: 9 },
      ],
      red,
    );
    expect(area(canvas)).toBe(60);
    expect(canvas.at({ x: 2.5, y: 3.5 })).toEqual(red);
    expect(canvas.at({ x: 12.5, y: 3.5 })).toEqual([0, 0, 0]);
  });

  it('draws an ellipse of area pi a b', () => {
    const canvas = new Canvas(128);
    canvas.ellipse({ x: 64, y: 64 }, 100, 60, red);
    expect(area(canvas) / (Math.PI * 50 * 30)).toBeCloseTo(1, 2);
  });

  it('draws a line with round ends, of area length times width and a circle', () => {
    const canvas = new Canvas(128);
    canvas.stroke(
      [
        { x: 30, y: 40 },
        { x: 60, y: 80 },
      ],
      12,
      red,
    );
    expect(area(canvas) / (50 * 12 + Math.PI * 36)).toBeCloseTo(1, 1);
  });

  it('cuts off what lies outside', () => {
    const canvas = new Canvas(16);
    canvas.ellipse({ x: 0, y: 0 }, 16, 16, red);
    canvas.ellipse({ x: -40, y: -40 }, 16, 16, red);
    expect(area(canvas) / (16 * Math.PI)).toBeCloseTo(1, 1);
  });

  it('becomes smaller with smooth edges', () => {
    const canvas = new Canvas(32);
    canvas.polygon(
      [
        { x: 0, y: 0 },
        { x: 17, y: 0 },
        { x: 17, y: 32 },
        { x: 0, y: 32 },
      ],
      red,
    );
    const { data, width, height } = canvas.halved();
    expect([width, height]).toEqual([16, 16]);
    const edge = data[3 * (8 * 16 + 8)];
    expect(edge).toBeGreaterThan(0.3);
    expect(edge).toBeLessThan(0.7);
  });
});
