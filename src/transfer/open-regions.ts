import * as tf from '@tensorflow/tfjs-core';
import { ImageError, InvalidArgumentError } from '../errors';
import type { OpenImage } from '../image/image-reader';
import { type Size, sizeAfter } from '../image/size-rule';
import { styleStatistics } from '../losses/style-statistics';
import type { TermMask } from '../losses/term-mask';
import type { Owner } from '../owning';
import type { Platform } from '../platform';
import { addAll } from '../sums';
import type { Settings } from './options';
import type { ProgressChannel } from './progress-channel';
import type { Region } from './regions';
import { type OpenedStyle, openStyle, readStyles, type WeightedStyle } from './styles';

/** A region whose masks have been opened and checked. */
export interface OpenedRegion {
  readonly content: OpenImage;
  readonly style?: OpenImage | undefined;
  /** Its styles among all of the run, from one index to before another. */
  readonly styles: readonly [from: number, to: number];
  readonly weight: number;
  readonly contentWeight: number;
}

/** The regions of a run, with the styles of the call and those of regions. */
export interface OpenedRegions {
  readonly regions: readonly OpenedRegion[];
  readonly styles: readonly OpenedStyle[];
}

/** Longer side at which masks are looked at before any work. */
const checkedSide = 256;

/**
 * Opens the masks and the styles of regions and checks them; a warning says which part of the picture no region covers,
 * or several do.
 *
 * @param styles those of the call
 * @throws InvalidArgumentError if a mask is 0 everywhere, or belongs to a style file; ImageError if a mask cannot be
 *   read or has another aspect than its image
 */
export async function openRegions<Input>(
  platform: Platform<Input>,
  { regions = [], preset }: Settings<Input>,
  { content, styles }: { readonly content: OpenImage; readonly styles: readonly OpenedStyle[] },
  progress: ProgressChannel,
): Promise<OpenedRegions> {
  const { signal } = progress;
  requireMaskable(preset);
  const all = [...styles];
  const opened: OpenedRegion[] = [];
  const coverage = new Coverage(sizeAfter({ longerSide: checkedSide }, content.width, content.height));
  for (const [i, region] of (regions as readonly Region<Input>[]).entries()) {
    const place = `regions[${i}]`;
    const mask = await platform.open(`${place}.content`, region.content, signal, 'mask');
    requireAspect(`${place}.content`, mask, content, 'the content image');
    coverage.add(await weightsOf(`${place}.content`, mask, coverage.size));
    const from = region.styleImage === undefined ? 0 : all.length;
    if (region.styleImage !== undefined)
      for (const style of readStyles(region.styleImage, `${place}.styleImage`))
        all.push(await openStyle(platform, style, signal));
    const to = region.styleImage === undefined ? styles.length : all.length;
    const style = await openStyleMask(platform, `${place}.style`, region.style, all.slice(from, to), signal);
    const { weight = 1, contentWeight = 1 } = region;
    opened.push({ content: mask, style, styles: [from, to], weight, contentWeight });
  }
  coverage.report(progress);
  return { regions: opened, styles: all };
}

async function openStyleMask<Input>(
  platform: Platform<Input>,
  option: string,
  input: Input | undefined,
  styles: readonly OpenedStyle[],
  signal: AbortSignal,
): Promise<OpenImage | undefined> {
  if (input === undefined) return undefined;
  const file = styles.find((style) => style.file);
  if (file) {
    const accepted = 'a style image, or no mask of the style';
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `${option} is the mask of a style file, which holds no pixels; accepted: ${accepted}.`,
      { option, accepted },
    );
  }
  const mask = await platform.open(option, input, signal, 'mask');
  for (const { image, option: name } of styles) if (image) requireAspect(option, mask, image, name);
  await weightsOf(option, mask, sizeAfter({ longerSide: checkedSide }, mask.width, mask.height));
  return mask;
}

/** Throws unless positions may have weights in the statistic that a preset compares. */
function requireMaskable({ name, style: { statistic = 'gram' } }: Settings['preset']): void {
  if (statistic === 'gram' || styleStatistics[statistic].ofMoments) return;
  const accepted = 'a preset whose style is Gram matrices or moments';
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `regions weigh positions, and the style of the preset '${name}' is the statistic '${statistic}', which orders them; accepted: ${accepted}.`,
    { option: 'regions', value: name, accepted },
  );
}

/** Throws unless the sides of a mask and of its image have one ratio, up to a pixel of either. */
function requireAspect(option: string, mask: Size, image: Size, what: string): void {
  const difference = Math.abs(mask.width * image.height - mask.height * image.width);
  if (difference <= Math.max(mask.width, mask.height, image.width, image.height)) return;
  const accepted = `a mask of the aspect of ${what}, ${image.width} x ${image.height}`;
  throw new ImageError(
    'WRONG_SIZE',
    `${option} has ${mask.width} x ${mask.height} pixels; accepted: ${accepted}.`,
    { option, value: [mask.height, mask.width], accepted },
  );
}

/** The weights of a mask at a size. */
async function weightsOf(option: string, mask: OpenImage, size: Size): Promise<Float32Array> {
  const image = await mask.decode(size);
  try {
    const weights = (await image.data<'float32'>()).filter((_, i) => i % 3 === 0);
    if (weights.some((weight) => weight > 0)) return weights;
  } finally {
    image.dispose();
  }
  const accepted = 'a mask that is not black everywhere';
  throw new InvalidArgumentError('OUT_OF_RANGE', `${option} is 0 everywhere; accepted: ${accepted}.`, {
    option,
    value: 0,
    accepted,
  });
}

/** How much of the picture regions cover. */
class Coverage {
  private readonly total: Float32Array;

  constructor(readonly size: Size) {
    this.total = new Float32Array(size.width * size.height);
  }

  add(weights: Float32Array): void {
    for (let i = 0; i < weights.length; i++) this.total[i] += weights[i];
  }

  /** Warns of what lies in no region, or in several. Steps of 8-bit masks do not count. */
  report(progress: ProgressChannel): void {
    const beyond = (part: (weight: number) => number) => {
      const parts = this.total.map((weight) => (part(weight) > 0.02 ? part(weight) : 0));
      return parts.reduce((a, b) => a + b, 0) / parts.length;
    };
    const uncovered = beyond((weight) => 1 - weight);
    const shared = beyond((weight) => weight - 1);
    if (uncovered >= leastShare)
      progress.post({
        type: 'warning',
        code: 'REGIONS_UNCOVERED',
        message: `${percent(uncovered)} of the picture lie in no region: only the content loss shapes them.`,
      });
    if (shared >= leastShare)
      progress.post({
        type: 'warning',
        code: 'REGIONS_OVERLAP',
        message: `Regions overlap on ${percent(shared)} of the picture, which their styles share.`,
      });
  }
}

/** Least part of the picture that is reported. */
const leastShare = 0.001;

const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;

/** Weights that resampling has moved from 0 or 1 by rounding are 0 or 1 again: a mask of ones stays no mask. */
function withoutRounding(weights: tf.Tensor3D): tf.Tensor3D {
  const low = tf.where(tf.less(weights, 1e-5), tf.zerosLike(weights), weights);
  return tf.where(tf.greater(low, 1 - 1e-5), tf.onesLike(low), low);
}

/** A region of a stage. */
export interface StageRegion {
  /** [height, width, 1] of the painted image. */
  readonly mask: tf.Tensor3D;
  /** Its styles, each with the mask of the region. */
  readonly styles: readonly WeightedStyle[];
  readonly weight: number;
}

/** The regions of a stage. */
export interface StageRegions {
  readonly regions: readonly StageRegion[];
  /** The weights of content, if they are not 1 everywhere. */
  readonly contentMask?: TermMask | undefined;
}

/**
 * Regions at the size of a stage.
 *
 * @param styles all styles of the run at their sizes in this stage
 * @param owner frees the masks
 */
export async function regionsAt(
  opened: readonly OpenedRegion[],
  size: Size,
  styles: readonly WeightedStyle[],
  { temporary }: Owner,
): Promise<StageRegions> {
  const maskAt = async (mask: OpenImage, at: Size): Promise<tf.Tensor3D> => {
    const image = await mask.decode({ width: at.width, height: at.height });
    try {
      return temporary(tf.tidy(() => withoutRounding(tf.slice(image, [0, 0, 0], [at.height, at.width, 1]))));
    } finally {
      image.dispose();
    }
  };
  const regions: (StageRegion & { readonly contentWeight: number })[] = [];
  for (const {
    content,
    style,
    styles: [from, to],
    weight,
    contentWeight,
  } of opened) {
    const masked: WeightedStyle[] = [];
    for (const one of styles.slice(from, to)) {
      if (!style || !one.image) masked.push(one);
      else {
        const [height, width] = one.image.shape;
        masked.push({ ...one, mask: await maskAt(style, { width, height }) });
      }
    }
    regions.push({ mask: await maskAt(content, size), styles: masked, weight, contentWeight });
  }
  if (regions.every(({ contentWeight }) => contentWeight === 1)) return { regions };
  // Outside of regions 1; where they overlap, the mean of their weights.
  const weights = tf.tidy(() => {
    const total = addAll(regions.map(({ mask }) => mask));
    const weighted = addAll(
      regions.map(({ mask, contentWeight }) => tf.mul<tf.Tensor3D>(mask, contentWeight)),
    );
    const outside = tf.relu(tf.sub(1, total));
    return tf.div<tf.Tensor3D>(tf.add(weighted, outside), tf.maximum(total, 1));
  });
  return { regions, contentMask: { weights: temporary(weights), mean: 'positions' } };
}
