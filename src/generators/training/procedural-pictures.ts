import type { RgbPixels } from '../../image/pixel-array';
import { Random } from '../../random';
import { cachedPictures } from './picture-cache';
import type { Pictures } from './pictures';
import { clouds } from './pictures/clouds';
import { deadLeaves } from './pictures/dead-leaves';
import { scenes } from './pictures/scenes';
import { stripes } from './pictures/stripes';
import { strokes } from './pictures/strokes';

/** Pictures drawn for a training; of each, a training of 400 steps sees six crops. */
const count = 64;

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
 * as those trained on photographs.
 */
export function proceduralPictures(seed: number): Pictures {
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
