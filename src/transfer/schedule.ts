import { vgg19Layers } from '../features/vgg19/layers';
import { type Size, type SizeRule, sizeAfter } from '../image/size-rule';
import type { Settings } from './options';
import { type Preset, type PresetScales, presetLayers } from './presets';
import { defaultSize, pixels, type Scale } from './scales';

/** One size of a run. */
export interface Stage extends Size {
  /** Steps of the optimiser at most. */
  readonly iterations: number;
  /** Evaluations of loss and gradient at most; Infinity is no limit. */
  readonly maxEvaluations: number;
  /** Its longer side as a part of the last stage's. */
  readonly scale: number;
}

/** The stages of a run in order; the last has the size of the result. */
export type Schedule = readonly [Stage, ...Stage[]];

/** The rule of a size that may be left out. */
export const sizeRule = (size: number | undefined): SizeRule =>
  size === undefined ? { atMost: defaultSize } : { longerSide: size };

/**
 * The stages in which a content image of a size is painted.
 *
 * @param fixedStyle whether a style has targets of one size, as a style file has, with which `'auto'` is one stage
 */
export function scheduleOf(settings: Settings, content: Size, fixedStyle = false): Schedule {
  const { width, height } = sizeAfter(sizeRule(settings.size), content.width, content.height);
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  const scales = scalesOf(settings, [shorter, longer], fixedStyle);
  const iterations = scales.map((scale, i) => scale.iterations ?? defaultIterations(settings.iterations, i));
  const limits = sharesOf(settings.maxEvaluations ?? Infinity, iterations);
  const stages = scales.map(
    ({ size }, i): Stage => ({
      ...(size === longer ? { width, height } : sizeAfter({ longerSide: size }, width, height)),
      iterations: iterations[i],
      maxEvaluations: limits[i],
      scale: size / longer,
    }),
  );
  // The last stage always has an evaluation.
  return stages.filter(({ maxEvaluations }) => maxEvaluations > 0) as unknown as Schedule;
}

/** The scales of a run whose result has sides of so many pixels. */
function scalesOf(settings: Settings, sides: Sides, fixedStyle: boolean): readonly Scale[] {
  const [, longer] = sides;
  const { scales, loss, preset } = settings;
  if (typeof scales === 'object') return scales;
  // Of a custom loss, layers are not known, and one that is an object holds targets of one size.
  if (scales === 1 || loss !== undefined || fixedStyle) return [{ size: longer }];
  if (preset.scales) return sizesByRule(preset.scales, sides, settings.iterations);
  return isDeep(preset) ? autoSizes(longer).map((size) => ({ size })) : [{ size: longer }];
}

type Sides = readonly [shorter: number, longer: number];

/** Shorter side of a preset's sizes at least, but for the last: two positions of the fifth block. */
const leastShorter = 32;

/** The scales of a preset's rule. */
function sizesByRule(
  { factor, least, most = Infinity, later }: PresetScales,
  [shorter, longer]: Sides,
  iterations: number,
) {
  const sizes = [longer];
  while (sizes.length < most) {
    const size = Math.round(longer / factor ** sizes.length);
    if (size < Math.max(least, pixels.min) || (size * shorter) / longer < leastShorter) break;
    sizes.unshift(size);
  }
  return sizes.map(
    (size, i): Scale =>
      later === undefined || i === 0 ? { size } : { size, iterations: Math.ceil(later * iterations) },
  );
}

/**
 * Whether a preset reads layers beyond the third block, whose positions see 68 pixels and more. Stages pay for these
 * only. At 512 pixels, with evaluations counted by their pixels: `gatys2016` has loss 397 after 66 evaluations at
 * one size, and 255 after as many in stages of 256 and 512; `li2021`, whose deepest layer sees 24 pixels, starts at 512
 * no more than five iterations ahead, which the stage at 256 has cost too.
 */
function isDeep(preset: Preset): boolean {
  return presetLayers(preset).some((layer) => vgg19Layers.indexOf(layer) > vgg19Layers.indexOf('pool3'));
}

/** Sizes of `'auto'`: halves as long as they have at least {@link leastOfAuto} pixels, the smallest first. */
function autoSizes(longer: number): readonly number[] {
  return longer < 2 * leastOfAuto ? [longer] : [...autoSizes(Math.round(longer / 2)), longer];
}

/** Smallest size at which `'auto'` paints. */
const leastOfAuto = 256;

/**
 * Iterations of a stage that does not state them: all, a half, a third of the run's. A stage that starts from an image
 * painted at half its size has to add the finer strokes only.
 */
const defaultIterations = (iterations: number, index: number) => Math.ceil(iterations / (index + 1));

/** Divides evaluations among stages in proportion to their iterations. */
function sharesOf(evaluations: number, iterations: readonly number[]): readonly number[] {
  if (evaluations === Infinity) return iterations.map(() => Infinity);
  const all = iterations.reduce((sum, count) => sum + count, 0);
  let [counted, given] = [0, 0];
  return iterations.map((count) => {
    counted += count;
    const share = Math.floor((evaluations * counted) / all) - given;
    given += share;
    return share;
  });
}
