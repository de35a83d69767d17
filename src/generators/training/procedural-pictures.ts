import type { RgbPixels } from '../../image/pixel-array';
import { Random } from '../../random';
import { cachedPictures } from './picture-cache';
import type { Pictures } from './pictures';
import { clouds } from './pictures/clouds';
import { deadLeaves } from './pictures/dead-leaves';
import { scenes } from './pictures/scenes';
import { stripes } from './pictures/stripes';
import { strokes } from './pictures/strokes';

/**
 * How many pictures are drawn for a training: of each, six crops are seen, or more of trainings so long that drawing
 * would take much of their time.
 */
export const usualDrawn = (steps: number): number => Math.min(256, Math.max(64, Math.round(steps / 6.25)));

/** Side of a picture in pixels: that of the largest crops by default, so that edges are as sharp as in photographs. */
const side = 256;

/** The kinds in turn. Half of the pictures have the wide smooth surfaces of photographs. */
const kinds = [
  scenes,
  deadLeaves,
  scenes,
  clouds,
  scenes,
  strokes,
  scenes,
  deadLeaves,
  scenes,
  stripes,
  scenes,
  deadLeaves,
] as const;

/**
 * Pictures from a seed, to train on where there are no photographs. Networks trained on them paint photographs as well
 * as those trained on photographs. The first ones are the same for every number of them.
 */
export function proceduralPictures(seed: number, count: number): Pictures {
  return cachedPictures({
    count,
    identity: `procedural, seed ${seed}`,
    at: async (index) => {
      const random = new Random(seed, -1 - index);
      return inBytes(kinds[index % kinds.length](random, side));
    },
  });
}

/** A picture rounded to 8 bits. */
export const inBytes = ({ data, width, height }: RgbPixels) => ({
  data: Uint8Array.from(data, (value) => Math.round(255 * value)),
  width,
  height,
});
