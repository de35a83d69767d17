import { resolve } from 'node:path';
import type { Sharp } from 'sharp';
import { makeStyle, styleTransfer } from '../../src/node/index.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Weights of the two paintings, from left to right. */
const shares = [
  [1, 0],
  [2, 1],
  [1, 2],
  [0, 1],
] as const;

/** A picture in the styles of two paintings: from one alone, by blends of both, to the other alone. */
export async function styles(): Promise<Sharp> {
  // Each painting is read once, and then stands as numbers.
  const [evening, town] = [
    await makeStyle(`${images}/style.jpg`, { size: 384 }),
    await makeStyle(`${images}/style-town.jpg`, { size: 384 }),
  ];
  const painted: Awaited<ReturnType<typeof styleTransfer>>[] = [];
  for (const [first, second] of shares)
    painted.push(
      await styleTransfer(
        `${images}/content.jpg`,
        [
          { image: evening, weight: first },
          { image: town, weight: second },
        ],
        { size: 384, init: 'content', iterations: 80 },
      ),
    );
  try {
    return (
      await sideBySide(
        painted.map(({ image }) => image),
        2,
      )
    ).resize(960);
  } finally {
    for (const result of painted) result.dispose();
  }
}
