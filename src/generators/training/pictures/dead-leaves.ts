import type { RgbPixels } from '../../../image/pixel-array';
import type { Random } from '../../../random';
import { Canvas, type Point } from './canvas';
import { lit } from './lit';
import { cloudField } from './noise-field';
import { jittered, palette } from './palette';

/**
 * Leaves fallen on each other, many small and few large ones, which has the statistics of natural pictures (Lee et al.
 * 2001).
 */
export function deadLeaves(random: Random, side: number): RgbPixels {
  const canvas = new Canvas(2 * side);
  const colours = palette(random, 8);
  for (const radius of radii(random)) {
    const place = () => random.uniform(-20, canvas.side + 20);
    const centre = { x: place(), y: place() };
    const colour = jittered(random, random.pick(colours), 0.06);
    if (random.chance(1 / 3)) canvas.ellipse(centre, 2 * radius, 2 * radius * random.uniform(0.3, 1), colour);
    else canvas.polygon(corners(random, centre, radius), colour);
  }
  const picture = canvas.halved();
  return random.chance(0.5) ? shaded(random, picture) : picture;
}

/** Either many leaves in the order in which they fell, or fewer with the small ones on top. */
function radii(random: Random): number[] {
  const radius = () => Math.min(120, 3 * random.pareto(1.2));
  if (random.chance(0.5)) return Array.from({ length: 900 }, radius);
  return Array.from({ length: 500 }, radius).sort((a, b) => b - a);
}

function corners(random: Random, { x, y }: Point, radius: number): Point[] {
  const angles = Array.from({ length: 3 + random.integer(4) }, () => random.uniform(0, 2 * Math.PI));
  return angles
    .sort((a, b) => a - b)
    .map((angle) => ({ x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle) }));
}

function shaded(random: Random, picture: RgbPixels): RgbPixels {
  const { values } = cloudField(random, picture.width, random.uniform(0.8, 2));
  const strength = random.uniform(0.04, 0.2);
  return lit(
    picture,
    values.map((value) => strength * value),
  );
}
