/**
 * `tsx scripts/guide-pictures/measure-weights.ts [presets]`: the table of docs/guides/settings.md. Of each preset, what
 * content is for an image of one colour and style at the content image, and the ratio of effort that its alpha and beta
 * mean. Needs VGG-19 to relu5_1 (TFJS_STYLE_TRANSFER_WEIGHTS, or ../shared/vgg19-uint8).
 */
import { resolve } from 'node:path';
import { styleTransfer, useWasm } from '../../src/node/index.ts';
import { type PresetName, presetNames } from '../../src/transfer/presets.ts';

const images = resolve(import.meta.dirname, '../../examples/images');
const weights =
  process.env.TFJS_STYLE_TRANSFER_WEIGHTS ?? resolve(import.meta.dirname, '../../../shared/vgg19-uint8');
const presets = (process.argv[2]?.split(',') ?? presetNames) as readonly PresetName[];

await useWasm();
console.log('| preset | alpha | beta | at 128 pixels | at 256 pixels |\n|---|---|---|---|---|');
for (const preset of presets) {
  const ratios: number[] = [];
  let weighed: readonly number[] = [];
  for (const size of [128, 256]) {
    const options = { preset, size, scales: 1, iterations: 1, weights, engine: 'wasm' } as const;
    const inputs = [`${images}/content.jpg`, `${images}/style.jpg`] as const;
    using plain = await styleTransfer(...inputs, options);
    using balanced = await styleTransfer(...inputs, { ...options, balance: 'initial' });
    const { alpha = 0, beta = 0 } = plain.settings.options;
    const { content = 0, style = 0 } = balanced.history[0].stage.divisors ?? {};
    weighed = [alpha, beta];
    ratios.push((beta * style) / (alpha * content));
  }
  console.log(
    `| ${[`\`${preset}\``, ...weighed, ...ratios.map((ratio) => ratio.toPrecision(3))].join(' | ')} |`,
  );
}
