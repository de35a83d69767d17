import { resolve } from 'node:path';
import type { Sharp } from 'sharp';
import { styleTransfer } from '../../src/node/index.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Longer side of the result. */
const size = 512;

const scales = [
  { size: size / 4, iterations: 60 },
  { size: size / 2, iterations: 24 },
  { size, iterations: 18 },
];

/**
 * The same work at one size and in stages: on the left as many evaluations at full size as the stages take together, an
 * evaluation of a smaller one counting its part of the pixels.
 */
export async function sizes(): Promise<Sharp> {
  const inputs = [`${images}/content.jpg`, `${images}/style.jpg`] as const;
  const options = { preset: 'gatys2016', styleSize: 512 } as const;
  const staged = await styleTransfer(...inputs, { ...options, scales });
  /** Evaluations of each stage. */
  const evaluations: number[] = [];
  for (const step of staged.history) evaluations[step.stage.index] = step.evaluations;
  const work = evaluations.reduce((sum, count, i) => sum + count * (scales[i].size / size) ** 2, 0);
  const one = await styleTransfer(...inputs, {
    ...options,
    size,
    scales: 1,
    maxEvaluations: Math.round(work),
  });
  console.log(
    `${one.evaluations} evaluations of ${size} pixels: loss ${one.loss}; ` +
      `stages of ${evaluations.join(', ')}, as many pixels as ${work}: loss ${staged.loss}`,
  );
  try {
    return (await sideBySide([one.image, staged.image])).resize(1200);
  } finally {
    one.dispose();
    staged.dispose();
  }
}
