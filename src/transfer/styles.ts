import type { Tensor3D } from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { Image } from '../image/image';
import type { OpenImage } from '../image/image-reader';
import { type Size, type SizeRule, sizeAfter } from '../image/size-rule';
import type { ImageInput } from '../image/to-image';
import { showValue } from '../options/show';
import { requireKnownOptions, requireNumber } from '../options/validate';
import type { Platform } from '../platform';
import {
  requireNetwork,
  requireStatistics,
  type StyleStatistics,
  styleNetworkOf,
} from '../styles/require-style';
import { isStyleFile, type StyleFile } from '../styles/style-file';
import type { ColorChoice } from './color';
import type { Preset } from './presets';
import { pixels } from './scales';

/** One of several styles. */
export interface StyleEntry<Input = ImageInput> {
  /** An image, or a style that `loadStyle` or `makeStyle` gave. */
  readonly image: Input | StyleFile;
  /**
   * The share of this style, relative to the others' weights, at least 0.
   * @default 1
   */
  readonly weight?: number | undefined;
}

/** The second argument of `styleTransfer`: a style image, a style file, or a list of both with weights. */
export type StyleInput<Input = ImageInput> = Input | StyleFile | readonly StyleEntry<Input>[];

/** A style as the caller gave it, checked as far as it can be without reading it. */
export interface GivenStyle<Input> {
  /** The argument's name, for messages: `style`, or `style[1].image`. */
  readonly option: string;
  readonly input: Input | StyleFile;
  readonly weight: number;
}

/** A style that has been opened: an image whose size is known, or a file's targets. */
export type OpenedStyle = { readonly option: string; readonly weight: number } & (
  | { readonly image: OpenImage; readonly file?: undefined }
  | { readonly file: StyleFile; readonly image?: undefined }
);

/** A style of a run: a decoded image, or a file's targets. Weights are relative to each other. */
export type WeightedStyle = {
  readonly weight: number;
  /** The part of the image that counts, [height, width, 1] of its size. */
  readonly mask?: Tensor3D | undefined;
} & (
  | { readonly image: Image; readonly file?: undefined }
  | { readonly file: StyleFile; readonly image?: undefined }
);

/** A style image with its share of all. */
interface SharedImage {
  readonly image: Image;
  readonly weight: number;
  readonly mask?: Tensor3D | undefined;
}

/**
 * Style images with weights that add up to 1. Style files, which hold Gram matrices, are refused where images are
 * needed before any work.
 */
export function imagesOf(styles: readonly WeightedStyle[]): SharedImage[] {
  const total = styles.reduce((sum, { weight }) => sum + weight, 0);
  return styles.flatMap(({ image, weight, mask }) =>
    image ? [{ image, weight: weight / total, ...(mask && { mask }) }] : [],
  );
}

/**
 * The styles of an argument: itself, or the entries of a list.
 *
 * @param option the argument's name
 * @throws InvalidArgumentError if a list is empty, an entry is no record with an image, or weights are negative, not
 *   finite or all zero
 */
export function readStyles<Input>(style: StyleInput<Input>, option = 'style'): readonly GivenStyle<Input>[] {
  if (!Array.isArray(style)) return [{ option, input: style as Input | StyleFile, weight: 1 }];
  const styles = (style as readonly StyleEntry<Input>[]).map((entry, i) =>
    readEntry(`${option}[${i}]`, entry),
  );
  if (styles.length === 0) throw noStyle('EMPTY', `${option} is an empty list`, style, option);
  if (styles.every(({ weight }) => weight === 0))
    throw noStyle('OUT_OF_RANGE', `The weights of ${option} are all 0`, style, option);
  return styles;
}

/** The error for a list without a style of positive weight. */
export function noStyle(
  code: 'EMPTY' | 'OUT_OF_RANGE',
  what: string,
  value: unknown,
  option = 'style',
): InvalidArgumentError {
  const accepted = 'at least one style of positive weight';
  return new InvalidArgumentError(code, `${what}; accepted: ${accepted}.`, {
    option,
    value,
    accepted,
  });
}

/** An entry of a list. @param place the entry, for messages: `style[1]` */
export function readEntry<Input>(place: string, entry: StyleEntry<Input>): GivenStyle<Input> {
  const { image, weight = 1 } = (entry ?? {}) as Partial<StyleEntry<Input>>;
  if (image === undefined || image === null) {
    const accepted = '{ image, weight }';
    const message = `${place} is ${showValue(entry)} without an image; accepted: ${accepted}.`;
    throw new InvalidArgumentError('MISSING', message, { option: place, value: entry, accepted });
  }
  requireKnownOptions(place, entry, ['image', 'weight']);
  requireNumber(`${place}.weight`, weight, { min: 0 });
  return { option: `${place}.image`, input: image, weight };
}

/** Opens a style: an image becomes known in size, a style file is read. */
export async function openStyle<Input>(
  platform: Platform<Input>,
  { option, input, weight }: GivenStyle<Input>,
  signal: AbortSignal | undefined,
): Promise<OpenedStyle> {
  const file = isStyleFile(input) ? input : await platform.openStyle?.(option, input, signal);
  if (file) return { option, weight, file };
  return { option, weight, image: await platform.open(option, input as Input, signal) };
}

/**
 * Refuses style files that a run cannot use, whatever its network.
 *
 * @throws InvalidArgumentError `WRONG_STYLE` if a file does not hold what the preset compares; `CONFLICTING_OPTIONS`
 *   beside a custom loss, where the run starts from the style, or where colours of the style would be moved
 */
export function requireUsableStyles(
  {
    loss,
    preset,
    init,
    color,
  }: {
    readonly loss?: unknown;
    readonly preset: Preset;
    readonly init?: unknown;
    readonly color: ColorChoice;
  },
  styles: readonly OpenedStyle[],
): void {
  for (const { option, file } of styles) {
    if (!file) continue;
    if (loss !== undefined) throw noImage(option, file, 'loss', 'the custom loss');
    // In grey, a file is taken as it is: it may have been made of grey images.
    if (color !== 'style' && color !== 'content') throw noImage(option, file, 'color', `color: '${color}'`);
    requireGrams(option, file, preset);
    requireStatistics(option, file, preset.style, `the preset '${preset.name}'`);
  }
  const [first] = styles;
  if (init === 'style' && first.file) throw noImage(first.option, first.file, 'init', "init: 'style'");
}

/** Throws where a preset compares another statistic than the Gram matrices that style files hold. */
function requireGrams(option: string, { name }: StyleFile, preset: Preset): void {
  const { statistic = 'gram' } = preset.style;
  if (statistic === 'gram') return;
  const accepted = 'a style image, or a preset that compares Gram matrices';
  throw new InvalidArgumentError(
    'WRONG_STYLE',
    `${option} is the style file ${showValue(name)}, which holds Gram matrices, and the preset '${preset.name}' compares another statistic, '${statistic}'; accepted: ${accepted}.`,
    { option, value: name, accepted },
  );
}

function noImage(option: string, { name }: StyleFile, beside: string, needs: string): InvalidArgumentError {
  const accepted = `a style image, or no ${beside}`;
  return new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${option} is the style file ${showValue(name)}, which holds no image, and ${needs} needs one; accepted: ${accepted}.`,
    { option, value: name, accepted },
  );
}

/**
 * Throws unless style files were made with the network that an extractor computes.
 *
 * @throws InvalidArgumentError `WRONG_STYLE`, which names the file's network and the extractor's
 */
export async function requireNetworkOf(
  styles: readonly OpenedStyle[],
  extractor: FeatureExtractor,
  { layers, normalization }: StyleStatistics,
): Promise<void> {
  if (styles.every(({ file }) => file === undefined)) return;
  const network = await styleNetworkOf(extractor, layers, normalization);
  for (const { option, file } of styles) if (file) requireNetwork(option, file, network, 'this run');
}

/** The size after resizing of the largest style image; where all styles are files, that of the smallest image. */
export function largestOf(styles: readonly OpenedStyle[], rule: SizeRule): Size {
  const sizes = styles.flatMap(({ image }) => (image ? [sizeAfter(rule, image.width, image.height)] : []));
  const pixelsOf = ({ width, height }: Size) => width * height;
  return sizes.reduce((a, b) => (pixelsOf(a) < pixelsOf(b) ? b : a), {
    width: pixels.min,
    height: pixels.min,
  });
}

/** Decodes the images of styles. @param own takes each image as soon as it is made */
export async function decodeStyles(
  styles: readonly OpenedStyle[],
  rule: SizeRule,
  own: (image: Image) => Image,
): Promise<readonly WeightedStyle[]> {
  const decoded: WeightedStyle[] = [];
  for (const { weight, image, file } of styles)
    decoded.push(
      file
        ? { weight, file }
        : { weight, image: own(await image.decode(sizeAfter(rule, image.width, image.height))) },
    );
  return decoded;
}
