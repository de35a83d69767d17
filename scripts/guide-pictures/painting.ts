import { resolve } from 'node:path';
import type { Sharp } from 'sharp';
import { styleTransfer } from '../../src/node/index.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** A picture and a painting by three presets, from left to right. */
export async function painting(): Promise<Sharp> {
  const painted: Awaited<ReturnType<typeof styleTransfer>>[] = [];
  try {
    for (const preset of ['li2021', 'gatys2016', 'painting'] as const)
      painted.push(
        await styleTransfer(`${images}/content.jpg`, `${images}/style-town.jpg`, {
          preset,
          size: 320,
          styleSize: 320,
        }),
      );
    return await sideBySide(painted.map(({ image }) => image));
  } finally {
    for (const result of painted) result.dispose();
  }
}
