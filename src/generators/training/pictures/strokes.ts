import type { RgbPixels } from '../../../image/pixel-array';
import type { Random } from '../../../random';
import { Canvas, type Point } from './canvas';
import { fieldAt, noiseField, quantiles } from './noise-field';
import { jittered, palette } from './palette';

/**
 * Brush strokes over patches of colour, along a smooth field of directions; in a quarter of the pictures each goes
 * where it likes.
 */
export function strokes(random: Random, side: number): RgbPixels {
  const canvas = new Canvas(2 * side);
  const length = random.uniform(8, 50) * random.pick([1, 1.6]);
  const width = random.uniform(2, 12);
  const direction = random.chance(0.25)
    ? () => random.uniform(0, 2 * Math.PI)
    : smoothDirections(random, canvas.side);
  patchesOfColour(random, canvas);
  const ground = Float32Array.from(canvas.pixels);
  const spread = random.uniform(0.02, 0.15);
  const count = Math.min(6000, (random.uniform(1, 2.2) * canvas.side ** 2) / (length * width));
  for (let i = 0; i < count; i++) {
    const start = { x: random.uniform(0, canvas.side), y: random.uniform(0, canvas.side) };
    const at = 3 * (Math.floor(start.y) * canvas.side + Math.floor(start.x));
    const colour = jittered(random, Array.from(ground.subarray(at, at + 3)), spread);
    canvas.stroke(followed(start, direction, length), width * random.uniform(0.6, 1.3), colour);
  }
  return canvas.halved();
}

function smoothDirections(random: Random, side: number): (at: Point) => number {
  const field = noiseField(random, side, random.pick([12, 25, 50, 100]));
  const bend = random.uniform(0.3, 1.6);
  const main = random.uniform(0, 2 * Math.PI);
  return ({ x, y }) => main + bend * fieldAt(field, x, y);
}

function patchesOfColour(random: Random, canvas: Canvas): void {
  const colours = palette(random, 3 + random.integer(5));
  const field = noiseField(random, canvas.side, random.pick([10, 20, 40]));
  const limits = quantiles(field, colours.length);
  canvas.fill((x, y) => colours[limits.filter((limit) => limit <= fieldAt(field, x, y)).length]);
}

function followed(start: Point, direction: (at: Point) => number, length: number, segments = 5): Point[] {
  const path = [start];
  for (let i = 0; i < segments; i++) {
    const angle = direction(path[i]);
    const step = length / segments;
    path.push({ x: path[i].x + step * Math.cos(angle), y: path[i].y + step * Math.sin(angle) });
  }
  return path;
}
