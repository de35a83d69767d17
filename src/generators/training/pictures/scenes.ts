import type { RgbPixels } from '../../../image/pixel-array';
import { resize } from '../../../image/resize';
import type { Random } from '../../../random';
import { Canvas, type Colour, type Paint, type Point } from './canvas';
import { lit } from './lit';
import { cloudField, type Field, fieldAt } from './noise-field';
import { jittered, palette } from './palette';

/**
 * Things in the light before something wide and smooth, a sky, a wall or what is out of focus. Photographs have such
 * surfaces, and a network that has never seen one leaves it empty.
 */
export function scenes(random: Random, side: number): RgbPixels {
  const canvas = new Canvas(2 * side);
  const colours = muted(palette(random, 9), random.uniform(0, 0.8));
  const relief = cloudField(random, side, random.uniform(0.5, 2));
  const paint = () => surface(random, canvas.side, jittered(random, random.pick(colours), 0.06), relief);

  canvas.fill(paint());
  if (random.chance(0.6)) {
    for (const radius of radii(random, canvas.side, 2 + random.integer(40)))
      thing(random, canvas, radius, paint());
    defocus(canvas, random.uniform(4, 40));
  }
  for (const radius of radii(random, canvas.side, 1 + random.integer(40)))
    thing(random, canvas, radius, paint());
  for (let lines = random.pick([0, 0, 2, 5, 12]); lines > 0; lines--) line(random, canvas, paint());
  return grained(random, canvas.halved());
}

/** Colours nearer to the grey of their mean, as those of most things are. */
function muted(colours: readonly Colour[], amount: number): Colour[] {
  return colours.map((colour) => {
    const grey = (colour[0] + colour[1] + colour[2]) / 3;
    return colour.map((value) => value + amount * (grey - value));
  });
}

/** Sizes from large to small. */
function radii(random: Random, side: number, count: number): number[] {
  const least = side * random.uniform(0.008, 0.08);
  return Array.from({ length: count }, () => Math.min(0.5 * side, least * random.pareto(1))).sort(
    (a, b) => b - a,
  );
}

/** A colour that changes with the light across the whole picture or from place to place, and may have a relief. */
function surface(random: Random, side: number, colour: Colour, relief: Field): Paint {
  const angle = random.uniform(0, 2 * Math.PI);
  const slope = Math.abs(random.normal(0, 0.25)) / side;
  const [dx, dy] = [slope * Math.cos(angle), slope * Math.sin(angle)];
  const start = -0.5 * side * (dx + dy);
  const height = random.pick([0, 0, 0.01, 0.03, 0.08]);
  const scale = random.uniform(0.5, 1.5);
  return (x, y) => {
    const light = start + x * dx + y * dy + (height && height * fieldAt(relief, x * scale, y * scale));
    return [colour[0] + light, colour[1] + light, colour[2] + light];
  };
}

function thing(random: Random, canvas: Canvas, radius: number, paint: Paint): void {
  const place = () => random.uniform(-0.05 * canvas.side, 1.05 * canvas.side);
  const centre = { x: place(), y: place() };
  if (random.chance(0.3)) canvas.ellipse(centre, 2 * radius, 2 * radius * random.uniform(0.3, 1), paint);
  else canvas.polygon(random.chance(0.5) ? blob(random, centre, radius) : box(random, centre, radius), paint);
}

/** A round outline with some waves. */
function blob(random: Random, { x, y }: Point, radius: number): Point[] {
  const waves = [2, 3, 4, 5, 7].map((count) => ({
    count,
    height: random.normal(0, 0.35 / count),
    phase: random.uniform(0, 2 * Math.PI),
  }));
  return Array.from({ length: 48 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 48;
    const bulge = waves.reduce(
      (sum, { count, height, phase }) => sum + height * Math.cos(count * angle + phase),
      1,
    );
    return { x: x + radius * bulge * Math.cos(angle), y: y + radius * bulge * Math.sin(angle) };
  });
}

/** Four corners, mostly upright. */
function box(random: Random, { x, y }: Point, radius: number): Point[] {
  const angle = random.chance(0.6) ? random.normal(0, 0.05) : random.uniform(0, Math.PI);
  const [width, height] = [radius * random.uniform(0.2, 1), radius * random.uniform(0.2, 1)];
  return [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([a, b]) => ({
    x: x + a * width * Math.cos(angle) - b * height * Math.sin(angle),
    y: y + a * width * Math.sin(angle) + b * height * Math.cos(angle),
  }));
}

/** A thin line, straight or bent: a stalk, a wire, a mast. */
function line(random: Random, canvas: Canvas, paint: Paint): void {
  let [x, y] = [random.uniform(0, canvas.side), random.uniform(0, canvas.side)];
  let angle = random.uniform(0, 2 * Math.PI);
  const bend = random.pick([0, 0.05, 0.2]);
  const step = random.uniform(0.02, 0.08) * canvas.side;
  const path = Array.from({ length: 12 }, () => {
    angle += random.normal(0, bend);
    x += step * Math.cos(angle);
    y += step * Math.sin(angle);
    return { x, y };
  });
  canvas.stroke(path, random.uniform(1.5, 8), paint);
}

/** What is on the canvas so far, as if it were far from what is in focus. */
function defocus(canvas: Canvas, radius: number): void {
  const { side, pixels } = canvas;
  const small = Math.max(4, Math.round(side / radius));
  const shrunk = resize({ data: pixels, width: side, height: side }, small, small);
  pixels.set(resize(shrunk, side, side).data);
}

/** With the grain of a sensor in half of the pictures. */
function grained(random: Random, picture: RgbPixels): RgbPixels {
  const strength = random.pick([0, 0, 0.01, 0.02]);
  if (strength === 0) return picture;
  return lit(
    picture,
    Float64Array.from({ length: picture.data.length / 3 }, () => random.normal(0, strength)),
  );
}
