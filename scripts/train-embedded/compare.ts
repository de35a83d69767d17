/**
 * How well the embedded network stylises, judged by real VGG-19 features: real weights, the embedded network and a
 * calibrated random one stylise the same pictures to the same content distance, that of real weights at beta = 1e6, and
 * the style distances are printed. Pictures and weights are read from the folder named by TFJS_STYLE_TRANSFER_SHARED,
 * by default ../shared.
 *
 *     tsx --import ./scripts/binary-hooks.mjs scripts/train-embedded/compare.ts
 *       [--size 128] [--content images/astronaut.png] [--style images/starry_night.jpg] [--evaluations 100] [--pictures
 *       folder]
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { FeatureExtractor } from '../../src/features/extractor.ts';
import { loadVgg19 } from '../../src/node/load-vgg19.ts';
import { useWasm } from '../../src/node/use-wasm.ts';
import { writeImage } from '../../src/node/write-image.ts';
import { networkUpTo } from './learn-layers.ts';
import { createJudge, sharedFolder, stylise, styliseAtContent } from './measure.ts';
import { recipe } from './recipe.ts';
import { train } from './train.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '128' },
    content: { type: 'string', default: 'images/astronaut.png' },
    style: { type: 'string', default: 'images/starry_night.jpg' },
    evaluations: { type: 'string', default: '100' },
    pictures: { type: 'string' },
  },
});
const evaluations = Number(options.evaluations);
const random = recipe.layers.map((layer) => ({ ...layer, filters: 'random' as const }));

await useWasm();
const judge = await createJudge(options.content, options.style, Number(options.size));
const real = await loadVgg19({ weights: resolve(sharedFolder, 'vgg19') });
const bound = await stylise(judge, real, 1e6, evaluations);
await report('VGG-19', bound);
real.dispose();
await compare('embedded', await loadVgg19({ weights: 'embedded' }));
await compare(
  'calibrated random',
  networkUpTo(
    'conv3_1',
    train({ ...recipe, layers: random }, () => {}),
  ),
);
judge.dispose();

async function compare(name: string, network: FeatureExtractor): Promise<void> {
  await report(name, await styliseAtContent(judge, network, bound.content, { evaluations, runs: 6 }));
  network.dispose();
}

async function report(
  name: string,
  { content, style, styleByLayer, beta, image }: typeof bound,
): Promise<void> {
  const byLayer = styleByLayer.map((value) => value.toExponential(1)).join(' ');
  const title = `${options.content} ${options.style} ${options.size} px`;
  console.log(
    `${title}  ${name}: style ${style.toPrecision(3)} at content ${content.toFixed(3)} (beta ${beta.toPrecision(3)}; ${byLayer})`,
  );
  if (options.pictures) {
    await mkdir(options.pictures, { recursive: true });
    await writeImage(image, resolve(options.pictures, `${name.replaceAll(' ', '-')}-${options.size}.png`));
  }
  image.dispose();
}
