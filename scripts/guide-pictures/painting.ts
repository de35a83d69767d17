import { resolve } from 'node:path';
import type { Sharp } from 'sharp';
import { styleTransfer } from '../../src/node/index.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** A picture and a painting by the default preset and by `painting`, from left to right. */
export async function painting(): Promise<Sharp> {
  const painted: Awaited<ReturnType<typeof styleTransfer>>[] = [];
  try {
    for (const preset of ['li2021', 'painting'] as const)
      painted.push(
        await styleTransfer(`${images}/content.jpg`, `${images}/style-town.jpg`, {
          preset,
          size: 192,
          styleSize: 192,
        }),
      );
    return (await sideBySide(painted.map(({ image }) => image))).resize(784, undefined, {
      kernel: 'lanczos3',
    });
  } finally {
    for (const result of painted) result.dispose();
  }
}
