import { clouds } from '../../src/generators/training/pictures/clouds.ts';
import { deadLeaves } from '../../src/generators/training/pictures/dead-leaves.ts';
import { stripes } from '../../src/generators/training/pictures/stripes.ts';
import { strokes } from '../../src/generators/training/pictures/strokes.ts';
import type { RgbPixels } from '../../src/image/pixel-array.ts';
import { Random } from '../../src/random.ts';

/** How many pictures of each kind are drawn. */
export interface PictureCounts {
  readonly strokes: number;
  readonly deadLeaves: number;
  readonly stripes: number;
  readonly clouds: number;
}

const painters = { strokes, deadLeaves, stripes, clouds } as const;

/** Square pictures of `side` pixels to learn from, kind after kind; each has a seed of its own. */
export function* trainingPictures(counts: PictureCounts, side: number, seed: number): Generator<RgbPixels> {
  const seeds = new Random(seed);
  for (const [kind, paint] of Object.entries(painters)) {
    for (let i = 0; i < counts[kind as keyof PictureCounts]; i++)
      yield paint(new Random(seeds.integer(2 ** 32)), side);
  }
}
