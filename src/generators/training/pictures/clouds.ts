import type { RgbPixels } from '../../../image/pixel-array';
import type { Random } from '../../../random';
import { cloudField } from './noise-field';

/** Clouds of three colours, with the spectrum 1/f of natural pictures. */
export function clouds(random: Random, side: number): RgbPixels {
  const fields = Array.from({ length: 3 }, () => cloudField(random, side, random.uniform(0.8, 2)).values);
  const strength = random.uniform(0.6, 1.3) * 0.2;
  const mixes = [0, 1, 2].map(() => ({
    mean: Math.min(0.9, Math.max(0.1, random.normal(0.5, 0.12))),
    weights: fields.map(() => random.normal(0, 0.7) * strength),
  }));
  const data = Float32Array.from({ length: side * side * 3 }, (_, i) => {
    const { mean, weights } = mixes[i % 3];
    const value = weights.reduce((sum, weight, f) => sum + weight * fields[f][Math.floor(i / 3)], mean);
    return Math.min(1, Math.max(0, value));
  });
  return { data, width: side, height: side };
}
