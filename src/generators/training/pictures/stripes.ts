import type { RgbPixels } from '../../../image/pixel-array';
import type { Random } from '../../../random';
import { fieldAt, noiseField } from './noise-field';
import { byLightness, palette } from './palette';

/** Stripes or checks, bent, soft or hard, in a run of four colours. */
export function stripes(random: Random, side: number): RgbPixels {
  const angle = random.uniform(0, Math.PI);
  const period = 3 * 10 ** random.uniform();
  const bends = noiseField(random, side, random.pick([6, 12, 25]));
  const bend = (random.uniform(0, 0.8) * period) / 3;
  const [hard, crossed] = [random.chance(0.5), random.chance(0.3)];
  const grain = noiseField(random, side, 1);
  const grainStrength = random.uniform(0, 0.3);
  const wave = (position: number) => Math.sin((2 * Math.PI * position) / period);
  const heights = Float64Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const shift = bend * fieldAt(bends, x, y);
    const along = wave(x * Math.cos(angle) + y * Math.sin(angle) + shift);
    const across = crossed ? wave(y * Math.cos(angle) - x * Math.sin(angle) + shift) : 1;
    return (hard ? Math.tanh(3 * along) : along) * across + grainStrength * fieldAt(grain, x, y);
  });
  return coloured(random, heights, side);
}

function coloured(random: Random, heights: Float64Array, side: number): RgbPixels {
  const colours = byLightness(palette(random, 4));
  const lowest = heights.reduce((a, b) => Math.min(a, b));
  const range = heights.reduce((a, b) => Math.max(a, b)) - lowest;
  const data = new Float32Array(heights.length * 3);
  heights.forEach((height, i) => {
    const position = (3 * (height - lowest)) / range;
    const below = Math.min(2, Math.floor(position));
    for (let c = 0; c < 3; c++) {
      data[3 * i + c] = colours[below][c] + (position - below) * (colours[below + 1][c] - colours[below][c]);
    }
  });
  return { data, width: side, height: side };
}
