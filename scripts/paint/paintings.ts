import { type Painting, ramp } from './brush-painting.ts';
import { clouds, hex, mixColours, noise, smoothstep } from './noise.ts';

/** Eddies that the air turns around: centre, radius, and how strong (negative: the other way). */
const eddies = [
  { x: 0.7, y: 0.24, radius: 0.21, turn: 1 },
  { x: 0.24, y: 0.3, radius: 0.19, turn: -1 },
  { x: 0.47, y: 0.1, radius: 0.13, turn: 0.8 },
  { x: 0.98, y: 0.5, radius: 0.16, turn: -0.8 },
  { x: 0.03, y: 0.06, radius: 0.15, turn: 0.9 },
] as const;

const wind = (x: number, y: number) => 0.9 * (clouds(x * 2.3 + 3, y * 2.3, 2) - 0.5) - 0.1;

function skyAngle(x: number, y: number): number {
  let u = Math.cos(wind(x, y));
  let v = Math.sin(wind(x, y));
  for (const eddy of eddies) {
    const [dx, dy] = [x - eddy.x, y - eddy.y];
    const distance = Math.hypot(dx, dy);
    const strength = 2.6 * eddy.turn * Math.exp(-((distance / eddy.radius) ** 2));
    u += (-dy / (distance + 0.02)) * strength;
    v += (dx / (distance + 0.02)) * strength;
  }
  return Math.atan2(v, u);
}

/** Height of the nearest and of the farther hills, downwards. */
const hillTops = [
  (x: number) => 0.63 + 0.05 * Math.sin(x * 5.2 + 0.6) - 0.03 * x,
  (x: number) => 0.71 + 0.06 * Math.sin(x * 4.1 + 3.3),
  (x: number) => 0.82 + 0.05 * Math.sin(x * 3.4 + 1.2),
] as const;
const hillAt = (x: number, y: number) => hillTops.filter((top) => y > top(x)).length;

/** Rolling fields under a turning evening sky: long loaded strokes, blues against yellows. */
export const windyEvening: Painting = (() => {
  const night = ramp(['#0d1f4f', '#1a3a86', '#2c62b0', '#4f95c4', '#9cc7c4', '#e6dca0'].map(hex));
  const glow = ramp(['#2f6db0', '#7fb4b8', '#e9d98a', '#f5c542', '#f09a2a'].map(hex));
  const fields = [
    ramp(['#1d3b5c', '#2d5f6e', '#4c8377'].map(hex)),
    ramp(['#2f5d34', '#6b8f3a', '#b3ae45'].map(hex)),
    ramp(['#8a5a1e', '#d49a2c', '#f0cc58'].map(hex)),
  ];
  return {
    seed: 11,
    ground: hex('#6b4a2c'),
    colour(x, y) {
      const hill = hillAt(x, y);
      const texture = clouds(x * 9, y * 9, 3);
      if (hill > 0) return fields[hill - 1](0.1 + texture * 0.7 + 0.25 * Math.sin((x * 0.6 + y) * 36 * hill));
      let colour = night(0.12 + 0.5 * clouds(x * 3.2, y * 4.4, 3) + 0.42 * smoothstep(0.15, 0.66, y));
      for (const { x: cx, y: cy, radius, turn } of eddies) {
        const distance = Math.hypot(x - cx, y - cy) / radius;
        const rings = 0.5 + 0.5 * Math.cos(distance * 17 + Math.atan2(y - cy, x - cx) * turn);
        const inside = smoothstep(1.15, 0.25, distance);
        const bright = turn > 0.95 ? 1.05 - distance * 0.85 : 0.62 - distance * 0.45;
        colour = mixColours(colour, glow(bright + 0.22 * rings), inside * 0.92);
      }
      return colour;
    },
    angle(x, y) {
      const hill = hillAt(x, y);
      if (hill === 0) return skyAngle(x, y);
      const top = hillTops[hill - 1];
      const slope = Math.atan2(top(x + 0.01) - top(x), 0.01);
      return hill === 2 ? slope + 1.0 + 0.5 * noise(x * 6, y * 6) : slope + 0.5 * (noise(x * 5, y * 5) - 0.5);
    },
    brushes: [
      { width: 0.045, length: 0.22, cover: 5, jitter: 0.16, body: 0.5 },
      { width: 0.024, length: 0.15, cover: 4, jitter: 0.24, body: 0.8 },
      { width: 0.013, length: 0.09, cover: 2.2, jitter: 0.3, body: 1 },
      { width: 0.007, length: 0.05, cover: 0.5, jitter: 0.36, body: 1.1 },
    ],
  };
})();

/** A garden in noon light: short separate touches of pure colours. */
export const noonGarden: Painting = (() => {
  const leaves = ramp(['#0f4d3a', '#1f7a4a', '#6bb04a', '#c9d65a'].map(hex));
  const water = ramp(['#274a8c', '#4f7fc0', '#a2c4dc', '#f3e3d0'].map(hex));
  const flowers = ['#e0457b', '#f2a0b5', '#f6c945', '#f7f0e0', '#c23a2e', '#8a4fb0'].map(hex);
  return {
    seed: 23,
    ground: hex('#d8c8a0'),
    colour(x, y) {
      const bank = 0.44 + 0.09 * Math.sin(x * 5 + 1) + 0.05 * Math.sin(x * 13);
      const texture = clouds(x * 11, y * 11, 3);
      const bushes = clouds(x * 5 + 7, y * 5, 2);
      if (y > bank && y < bank + 0.34 + 0.05 * Math.sin(x * 7))
        return water(0.15 + 0.9 * clouds(x * 3, y * 16, 3) - 0.2 * (y - bank));
      const bloom = noise(x * 22, y * 22);
      if (bloom > 0.6 && bushes > 0.45) return flowers[Math.floor(noise(x * 7 + 50, y * 7) * 5.99)];
      return leaves(texture * 0.9 + 0.35 * (bushes - 0.5) + (y < bank ? 0.15 : -0.05));
    },
    angle: (x, y) => 0.5 + 2.2 * (clouds(x * 4, y * 4, 2) - 0.5) + (y > 0.5 && y < 0.76 ? -0.6 : 0.7),
    brushes: [
      { width: 0.034, length: 0.05, cover: 4, jitter: 0.2, body: 0.5 },
      { width: 0.022, length: 0.032, cover: 4, jitter: 0.3, body: 0.9 },
      { width: 0.014, length: 0.02, cover: 1.4, jitter: 0.42, body: 1.2 },
    ],
  };
})();

/** Roofs of a town in fire colours: broad straight slabs, as if laid with a knife. */
export const redTown: Painting = (() => {
  const warm = ['#7a1420', '#c22b22', '#e8622a', '#f2a23a', '#f7d98a', '#2a1a3a', '#4a2a5e', '#1f5a6a'].map(
    hex,
  );
  const cell = (x: number, y: number) => {
    const tilt = 0.32 * Math.sin(Math.floor(y * 6) * 2.4);
    return [Math.floor((x + tilt * y) * 7), Math.floor(y * 9 + 0.6 * Math.sin(x * 6))] as const;
  };
  const chance = (i: number, j: number, k: number) => noise(i * 7.13 + 0.5 * k, j * 5.71 + 0.37, k);
  return {
    seed: 37,
    ground: hex('#2a1a24'),
    colour(x, y) {
      const [i, j] = cell(x, y);
      const pick = Math.floor((chance(i, j, 1) * 1.5 - 0.25 + 0.25 * (1 - y)) * 7.99);
      const colour = warm[Math.min(7, Math.max(0, pick))];
      return mixColours(colour, hex('#f7e0b0'), 0.35 * smoothstep(0.55, 0.8, clouds(x * 5, y * 5, 3)));
    },
    angle(x, y) {
      const [i, j] = cell(x, y);
      return chance(i, j, 3) > 0.5 ? 0.12 + 0.5 * chance(i, j, 5) : 1.35 + 0.5 * chance(i, j, 7);
    },
    brushes: [
      { width: 0.075, length: 0.13, cover: 5, jitter: 0.18, body: 0.4 },
      { width: 0.045, length: 0.1, cover: 3, jitter: 0.3, body: 0.9 },
      { width: 0.02, length: 0.08, cover: 0.8, jitter: 0.4, body: 1.1 },
    ],
  };
})();
