import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { convertWeights, type WeightSource, weightFormats } from '../../src/features';
import { convolutionsUpTo } from '../../src/features/vgg19/layers';
import type { Image } from '../../src/image';
import { directoryWeights } from '../../src/node/directory-weights';
import { loadVgg19 } from '../../src/node/load-vgg19';
import { readImage } from '../../src/node/read-image';
import { useWasm } from '../../src/node/use-wasm';
import { createObjective } from '../../src/objective';
import { presetLoss } from '../../src/transfer/preset-loss';
import { getPreset } from '../../src/transfer/presets';
import { styleTransfer } from '../../src/transfer/style-transfer';

/**
 * Measures the loss of precision by smaller storage of weights: the change of features, and the loss, by the float32
 * network, of pictures made with it.
 */
const program = new Command('measure-storage')
  .requiredOption('--weights <folder>', 'VGG-19 in float32, a tfjs model.json and its shards')
  .requiredOption('--content <image>', 'content picture')
  .requiredOption('--style <image>', 'style picture')
  .option('--uint8 <folder>', "the same in tfjs' uint8")
  .option('--size <pixels>', 'longer side', Number, 128)
  .option('--iterations <count>', 'of the stylised picture', Number, 150)
  .parse();
const { weights, content, style, uint8, size, iterations } = program.opts<{
  weights: string;
  content: string;
  style: string;
  uint8?: string;
  size: number;
  iterations: number;
}>();

const lastLayer = 'conv3_4';
const layers = convolutionsUpTo(lastLayer);
const preset = getPreset('li2021-baseline');

await useWasm({ threads: 2 });
const float32 = directoryWeights(weights);
const variants: [string, WeightSource][] = [['float32', float32]];
const folders: string[] = [];
for (const format of weightFormats) {
  const folder = await mkdtemp(join(tmpdir(), 'weights-'));
  folders.push(folder);
  for (const { name, bytes } of await convertWeights(float32, layers, { format }))
    await writeFile(join(folder, name), bytes);
  variants.push([format, directoryWeights(folder)]);
}
if (uint8) variants.push(['uint8', directoryWeights(uint8)]);

const images = { content: await readImage(content, { size }), style: await readImage(style, { size }) };
const reference = await loadVgg19({ weights: float32, lastLayer });
const referenceFeatures = reference.extract(images.content, layers);
const referenceLoss = presetLoss(preset, { extractor: reference, ...images });
const referenceWeights = await float32.read(layers);

console.log(`| storage | ${layers.join(' | ')} | loss after ${iterations} iterations |`);
for (const [name, source] of variants) {
  const extractor = await loadVgg19({ weights: source, lastLayer });
  const features = extractor.extract(images.content, layers);
  const read = await source.read(layers);
  const kernels = layers.map((layer) =>
    relativeRms(read.get(layer)?.kernel, referenceWeights.get(layer)?.kernel),
  );
  const changes = layers.map((layer) =>
    relativeRms(features[layer]?.dataSync(), referenceFeatures[layer]?.dataSync()),
  );
  tf.dispose(features as tf.TensorContainer);
  const run = await styleTransfer(images.content, images.style, {
    preset: preset.name,
    extractor,
    iterations,
  });
  console.log(`| ${name}, kernels | ${kernels.map(percent).join(' | ')} | |`);
  console.log(
    `| ${name}, features | ${changes.map(percent).join(' | ')} | ${lossOf(run.image).toFixed(2)} (own ${run.loss.toFixed(2)}) |`,
  );
  run.dispose();
  extractor.dispose();
}
await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));

/** The loss that the float32 network gives an image. */
function lossOf(image: Image): number {
  const objective = createObjective(reference, referenceLoss, [image.shape[0], image.shape[1]]);
  const { value, gradient, terms } = objective.evaluate(image);
  const [loss] = value.dataSync();
  tf.dispose([value, gradient, ...Object.values(terms)]);
  objective.dispose();
  return loss;
}

function relativeRms(found: ArrayLike<number> = [], expected: ArrayLike<number> = []): number {
  let difference = 0;
  let whole = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i] - expected[i]) ** 2;
    whole += expected[i] ** 2;
  }
  return Math.sqrt(difference / whole);
}

function percent(value: number): string {
  return value === 0 ? '0' : `${(100 * value).toPrecision(2)} %`;
}
