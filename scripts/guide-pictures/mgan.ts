import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Sharp } from 'sharp';
import type { EngineExtractor } from '../../src/engines/engine.ts';
import { loadProgram } from '../../src/engines/load-program.ts';
import type { Generator } from '../../src/features/generator.ts';
import { withMeasuredFloor } from '../../src/generators/training/measured-floor.ts';
import { proceduralPictures, usualDrawn } from '../../src/generators/training/procedural-pictures.ts';
import type { Image } from '../../src/index.ts';
import { defineLoss, type Loss, mrfLoss, styleLoss, sum, weighted } from '../../src/losses/index.ts';
import { loadGenerator, loadVgg19, readImage, saveGenerator, trainGenerator } from '../../src/node/index.ts';
import { Random } from '../../src/random.ts';
import type { LossTargets } from '../../src/transfer/preset-loss.ts';
import { presetLoss } from '../../src/transfer/preset-loss.ts';
import { getPreset, type Preset } from '../../src/transfer/presets.ts';
import { PatchDiscriminator } from './patch-discriminator.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Generators, which an interrupted run need not train again. */
const work = resolve(import.meta.dirname, '../../build/mgan');

/** The side of painted pictures and of the style, in pixels. */
const size = 256;

/** The layer whose patches are told apart, that of the paper. */
const layer = 'relu3_1';

/** Adam's rate for the discriminator: what it learns has to follow what the generator paints. */
const discriminatorRate = 1e-4;

/** Positions along a side of the parts of maps that the discriminator learns from in a step. */
const windowSize = 20;

/** How much the generator's hinge loss weighs beside content. */
const adversarial = 1;

/** Ways to train: by the default loss, and by content and the discriminator in place of its style. */
const recipes = ['default', 'mgan'] as const;
type Recipe = (typeof recipes)[number];

/**
 * Two pictures that nothing was trained on, and as generators of equal steps paint them: of the default loss, and of
 * content and a discriminator of patches in place of Gram matrices (Li & Wand 2016). A table of measures goes to the
 * terminal.
 */
export async function mgan(): Promise<Sharp> {
  const steps = 400;
  const extractor = await loadVgg19({ lastLayer: 'relu4_1', engine: 'wasm', threads: 1 });
  const style = await readImage(`${images}/style.jpg`, { size });
  const photographs = await Promise.all(
    ['content', 'content-still-life'].map((name) =>
      readImage(`${images}/${name}.jpg`, { size, fit: 'cover' }),
    ),
  );
  const preset = await withMeasuredFloor(getPreset('relative'), {
    extractor,
    pictures: proceduralPictures(0, usualDrawn(400)),
    size: 128,
  });
  const painted: Image[][] = photographs.map((photograph) => [photograph]);
  for (const recipe of recipes) {
    const generator = await trained(recipe, { steps, extractor, style, preset });
    const program = await loadProgram(generator, {});
    for (const row of painted) row.push(await program.run(row[0]));
    program.dispose();
    const pictures = painted.map((row) => row[row.length - 1]);
    console.log(recipe, await measured(pictures, photographs, { extractor, style, preset }));
  }
  return (await sideBySide(painted.flat(), 1 + recipes.length)).resize(960);
}

interface Setting {
  readonly steps: number;
  readonly extractor: EngineExtractor;
  readonly style: Image;
  readonly preset: Preset;
}

/** The generator of a recipe: one that is there from an earlier run, or a new one. */
async function trained(recipe: Recipe, { steps, extractor, style, preset }: Setting): Promise<Generator> {
  await mkdir(work, { recursive: true });
  const file = `${work}/${recipe}-${adversarial}-${steps}.safetensors`;
  if (existsSync(file)) return loadGenerator(file);
  const adversary = new Adversary(extractor, style);
  const generator = await trainGenerator({
    style,
    steps,
    extractor,
    loss:
      recipe === 'mgan'
        ? (targets) =>
            sum([presetLoss(preset, targets, { beta: 0 }), weighted(adversarial, adversary.loss())])
        : undefined,
    onProgress(event) {
      if (event.type !== 'step' || event.step % 50 !== 0) return;
      const { step, terms, secondsPerStep } = event;
      const parts = Object.entries(terms).map(([term, value]) => `${term} ${value.toFixed(3)}`);
      console.log(
        `${recipe} ${step}/${steps}  ${parts.join('  ')}  discriminator ${adversary.value.toFixed(3)}  ${secondsPerStep.toFixed(2)} s a step`,
      );
    },
  });
  adversary.dispose();
  await saveGenerator(file, generator);
  return generator;
}

/** The discriminator beside a training: it learns from what was painted in the step before. */
class Adversary {
  private readonly painting: tf.Tensor4D;
  private readonly discriminator: PatchDiscriminator;
  private readonly random = new Random(1);
  private painted: tf.Tensor4D | undefined;
  /** Its hinge loss at its last step; 2 is that of one that knows nothing. */
  value = 2;

  constructor(extractor: EngineExtractor, style: Image) {
    this.painting = extractor.extract(style, [layer])[layer] as tf.Tensor4D;
    this.discriminator = new PatchDiscriminator(this.painting, 2);
  }

  /** The generator's loss of a crop. */
  loss(): Loss {
    this.learn();
    return defineLoss({
      name: 'adversarial',
      layers: [layer],
      compute: ({ [layer]: map }) => {
        this.painted?.dispose();
        this.painted = tf.keep(tf.clone(map));
        return this.discriminator.hinge(map);
      },
    });
  }

  dispose(): void {
    tf.dispose([this.painting, this.painted ?? []]);
    this.discriminator.dispose();
  }

  private learn(): void {
    const { painted } = this;
    if (!painted) return;
    this.value = tf.tidy(() =>
      this.discriminator.learn(this.window(this.painting), this.window(painted), discriminatorRate),
    );
    painted.dispose();
    this.painted = undefined;
  }

  /** A random part of a map, half of the time mirrored. */
  private window(map: tf.Tensor4D): tf.Tensor4D {
    const [, height, width, channels] = map.shape;
    const [y, x] = [height, width].map((positions) => this.random.integer(positions - windowSize + 1));
    const part = tf.slice4d(map, [0, y, x, 0], [1, windowSize, windowSize, channels]);
    return this.random.chance(0.5) ? tf.reverse(part, 2) : part;
  }
}

/** Means over pictures: the default loss's parts, and two measures of style that nothing was trained by. */
async function measured(
  pictures: readonly Image[],
  photographs: readonly Image[],
  { extractor, style, preset }: Omit<Setting, 'steps'>,
): Promise<Record<string, string>> {
  const layers = ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1'] as const;
  const target = extractor.extract(style, layers);
  const wasserstein = styleLoss(target, { statistic: 'wasserstein' });
  const mrf = mrfLoss(target, { layers: ['relu3_1'] });
  const sums: Record<string, number> = {};
  for (const [i, picture] of pictures.entries()) {
    const features = extractor.extract(picture, layers);
    const targets: LossTargets = {
      extractor,
      content: photographs[i],
      style,
      styles: [{ image: style, weight: 1 }],
    };
    const losses = {
      content: presetLoss(preset, targets, { beta: 0 }),
      style: presetLoss(preset, targets, { alpha: 0, beta: 1 }),
      wasserstein,
      mrf,
    };
    for (const [name, loss] of Object.entries(losses)) {
      const value = loss.compute(features);
      sums[name] = (sums[name] ?? 0) + (await value.data())[0] / pictures.length;
      value.dispose();
    }
    tf.dispose(Object.values(features));
  }
  return Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, value.toPrecision(4)]));
}
