import { ImageError } from '../../errors';
import type { Image } from '../../image/image';
import type { ImageReader, OpenImage } from '../../image/image-reader';
import type { Owner } from '../../owning';
import { deviation } from './crops';
import type { TrainingSettings } from './options';

/** A picture whose style is learned. */
export interface StylePicture {
  readonly opened: OpenImage;
  /** With its longer side at `styleSize`. */
  readonly image: Image;
}

/**
 * The pictures whose styles are learned, decoded, one of each style.
 *
 * @param owner owns the images
 * @throws ImageError `TOO_SMALL` or `TOO_FLAT` if one has no style to learn
 */
export async function stylePictures<Input>(
  reader: ImageReader<Input>,
  { style, styleSize }: Pick<TrainingSettings<Input>, 'style' | 'styleSize'>,
  signal: AbortSignal,
  { temporary }: Owner,
): Promise<readonly StylePicture[]> {
  const pictures: StylePicture[] = [];
  for (const [option, input] of namedInputs(style)) {
    const opened = await reader.open(option, input, signal);
    const image = temporary(await opened.decode({ longerSide: styleSize }));
    await requireStyle(option, image);
    pictures.push({ opened, image });
  }
  return pictures;
}

/** Each picture with its name in errors: `style`, or `style[1]` of a list. */
const namedInputs = <Input>(style: Input | readonly Input[]): readonly (readonly [string, Input])[] =>
  isStyleList(style) ? style.map((one, i) => [`style[${i}]`, one] as const) : [['style', style]];

/** Whether there is a list of pictures, for a network of several styles. */
export const isStyleList = <Input>(style: Input | readonly Input[]): style is readonly Input[] =>
  Array.isArray(style);

/** Least sides and least standard deviation of a style. */
const [leastSide, leastDeviation] = [32, 0.02];

/** @throws ImageError if a style has too few pixels, or is nearly of one colour */
async function requireStyle(option: string, image: Image): Promise<void> {
  const [height, width] = image.shape;
  if (Math.min(height, width) < leastSide) {
    const accepted = `at least ${leastSide} pixels both ways after it is resized to styleSize`;
    throw new ImageError('TOO_SMALL', `${option} is ${width}x${height}; accepted: ${accepted}.`, {
      option,
      value: [height, width],
      accepted,
    });
  }
  const found = deviation({ data: await image.data<'float32'>() });
  if (found >= leastDeviation) return;
  const accepted = 'a picture with strokes, shapes or texture';
  throw new ImageError('TOO_FLAT', `${option} is nearly of one colour; accepted: ${accepted}.`, {
    option,
    value: found,
    accepted,
  });
}
