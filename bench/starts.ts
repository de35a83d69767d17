/**
 * Whether a generator's picture is a better start of an optimisation than the content: `npm run bench:starts --
 * [--sizes 512,1024] [--evaluations 40,16] [--presets li2021,relative] [--generator file | --steps 300]`. Without a
 * file it trains a generator of the painting. Each preset paints at each size from both starts, at one size, and the
 * table says after how many evaluations the second one has the losses that the first has after some.
 */
import { parseArgs } from 'node:util';
import { deepestLayer } from '../src/features/vgg19/layers.ts';
import {
  loadGenerator,
  loadVgg19,
  readImage,
  styleTransfer,
  trainGenerator,
  useWasm,
} from '../src/node/index.ts';
import { requireName } from '../src/options/validate.ts';
import { getPreset, type PresetName, presetLayers, presetNames } from '../src/transfer/presets.ts';
import { table } from './report.ts';
import { digits } from './timing.ts';

const { values } = parseArgs({
  options: {
    content: { type: 'string', default: 'examples/images/content.jpg' },
    style: { type: 'string', default: 'examples/images/style.jpg' },
    sizes: { type: 'string', default: '512,1024' },
    evaluations: { type: 'string', default: '40,16' },
    presets: { type: 'string', default: 'li2021,relative' },
    weights: { type: 'string' },
    generator: { type: 'string' },
    steps: { type: 'string', default: '300' },
  },
});
const numbers = (text: string) => text.split(',').map(Number);
const presets = values.presets.split(',');
const [sizes, counts] = [numbers(values.sizes), numbers(values.evaluations)];
const { weights } = values;

await useWasm();
const generator = values.generator
  ? await loadGenerator(values.generator)
  : await trainGenerator({
      style: values.style,
      steps: Number(values.steps),
      weights,
      onProgress(event) {
        if (event.type === 'step' && event.step % 50 === 0)
          console.log(`${event.step}/${event.steps} steps, loss ${event.meanLoss.toPrecision(4)}`);
      },
    });

/** The lowest loss after each evaluation, beginning with the start's. */
async function losses(preset: PresetName, size: number, most: number, init: 'content' | typeof generator) {
  const extractor = await networkOf(preset);
  const [content, style] = [
    await readImage(values.content, { size }),
    await readImage(values.style, { size }),
  ];
  const found: number[] = [];
  const started = performance.now();
  const { image, history } = await styleTransfer(content, style, {
    preset,
    extractor,
    size,
    scales: 1,
    iterations: 10 * most,
    maxEvaluations: most,
    init,
  });
  for (const { evaluations, loss } of history) {
    const before = found.at(-1) ?? loss;
    while (found.length < evaluations) found.push(before);
    found[evaluations - 1] = Math.min(before, loss);
  }
  for (const tensor of [image, content, style]) tensor.dispose();
  return { found, seconds: (performance.now() - started) / 1000 };
}

const loaded = new Map<string, Awaited<ReturnType<typeof loadVgg19>>>();
async function networkOf(name: PresetName) {
  const preset = getPreset(name);
  const { pooling } = preset;
  const lastLayer = deepestLayer(presetLayers(preset));
  const key = `${lastLayer} ${pooling}`;
  const extractor = loaded.get(key) ?? (await loadVgg19({ weights, lastLayer, pooling }));
  loaded.set(key, extractor);
  return extractor;
}

const rows: string[][] = [];
for (const [i, size] of sizes.entries())
  for (const preset of presets) {
    requireName('presets', preset, presetNames);
    const most = counts[i] ?? counts[counts.length - 1];
    const fromContent = await losses(preset, size, most, 'content');
    const fromPicture = await losses(preset, size, most, generator);
    for (const after of [1, 2, 5, 10, 20, 40, 80].filter((count) => count <= most)) {
      const [plain, instant] = [fromContent, fromPicture].map(
        ({ found }) => found[after - 1] ?? found.at(-1),
      );
      const reached = fromPicture.found.findIndex((loss) => loss <= (plain as number)) + 1;
      rows.push([
        `${size}`,
        preset,
        `${after}`,
        digits(plain as number),
        digits(instant as number),
        reached > 0 ? `${reached}` : `more than ${fromPicture.found.length}`,
      ]);
    }
    console.log(`${size} pixels, ${preset}: ${digits(fromContent.seconds + fromPicture.seconds)} s`);
  }
for (const extractor of loaded.values()) extractor.dispose();
console.log(
  table(
    [
      'size',
      'preset',
      'evaluations',
      'loss from the content',
      'loss from the picture',
      'evaluations to the first loss',
    ],
    rows,
  ),
);
