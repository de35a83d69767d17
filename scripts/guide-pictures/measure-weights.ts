/**
 * `tsx scripts/guide-pictures/measure-weights.ts`: the table of docs/guides/settings.md. Of each preset, what content
 * is for an image of one colour and style at the content image, and the ratio of effort that its alpha and beta mean.
 */
import { resolve } from 'node:path';
import { styleTransfer, useWasm } from '../../src/node/index.ts';

const images = resolve(import.meta.dirname, '../../examples/images');
const presets = ['li2021', 'li2021-baseline', 'gatys2016', 'neural-style', 'crowsonkb'] as const;

await useWasm();
for (const preset of presets)
  for (const size of [128, 256]) {
    const options = { preset, size, scales: 1, iterations: 1 } as const;
    const inputs = [`${images}/content.jpg`, `${images}/style.jpg`] as const;
    using plain = await styleTransfer(...inputs, options);
    using balanced = await styleTransfer(...inputs, { ...options, balance: 'initial' });
    const { alpha = 0, beta = 0 } = plain.settings.options;
    const { content = 0, style = 0 } = balanced.history[0].stage.divisors ?? {};
    console.log(
      `${preset}, ${size} pixels: content ${content}, style ${style}, ratio ${(beta * style) / (alpha * content)}`,
    );
  }
