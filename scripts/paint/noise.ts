/** Seeded random numbers in [0,1), the same on every machine (Mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number in [0,1) that belongs to a lattice point. */
function lattice(x: number, y: number, z: number): number {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(z, 2147483647 ^ 0x5bd1e995);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

const fade = (t: number) => t * t * (3 - 2 * t);

/** Smooth noise in [0,1] with features of size 1; `z` gives another noise, smoothly. */
export function noise(x: number, y: number, z = 0): number {
  const k = Math.floor(z);
  const near = plane(x, y, k);
  return z === k ? near : mix(near, plane(x, y, k + 1), fade(z - k));
}

function plane(x: number, y: number, k: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const u = fade(x - i);
  const low = mix(lattice(i, j, k), lattice(i + 1, j, k), u);
  const high = mix(lattice(i, j + 1, k), lattice(i + 1, j + 1, k), u);
  return mix(low, high, fade(y - j));
}

/** Octaves of noise, each half as large and half as strong; in [0,1]. */
export function clouds(x: number, y: number, octaves: number, z = 0): number {
  let sum = 0;
  let total = 0;
  for (let octave = 0, weight = 1, scale = 1; octave < octaves; octave++, weight /= 2, scale *= 2) {
    sum += weight * noise(x * scale + 17.3 * octave, y * scale - 9.1 * octave, z);
    total += weight;
  }
  return sum / total;
}

export const mix = (a: number, b: number, t: number) => a + (b - a) * t;
export const clamp = (x: number, low = 0, high = 1) => Math.min(high, Math.max(low, x));

/** 0 below `from`, 1 above `to`, smooth between. */
export function smoothstep(from: number, to: number, x: number): number {
  return fade(clamp((x - from) / (to - from)));
}

/** Red, green and blue in [0,1]. */
export type Colour = readonly [number, number, number];

export const mixColours = (a: Colour, b: Colour, t: number): Colour => [
  mix(a[0], b[0], t),
  mix(a[1], b[1], t),
  mix(a[2], b[2], t),
];
export const scaleColour = (a: Colour, s: number): Colour => [a[0] * s, a[1] * s, a[2] * s];

/** `#rrggbb` as a {@link Colour}. */
export function hex(text: string): Colour {
  const value = Number.parseInt(text.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}
