import type { Picture } from '../../scripts/video/synthetic-film';
import { Random } from '../../src/random';
import { blur, gaussianTaps } from './plain-flow';

/** A grey picture of noise of several sizes, smooth enough to be sampled between pixels. */
export function smoothNoise(size: number, seed: number): Picture {
  const random = new Random(seed);
  const grey = new Float32Array(size * size).fill(0.5);
  for (const [deviation, amplitude] of [
    [1.5, 0.05],
    [4, 0.1],
    [10, 0.2],
  ]) {
    const values = Float32Array.from(grey, () => random.normal());
    blur(
      { values, width: size, height: size },
      gaussianTaps(deviation),
      new Float32Array(size * size),
      values,
    );
    const power = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    for (let k = 0; k < grey.length; k++) grey[k] += (amplitude * values[k]) / power / 2;
  }
  const rgb = Float32Array.from({ length: 3 * size * size }, (_, i) => grey[Math.floor(i / 3)]);
  return { rgb, width: size, height: size };
}
