import { InvalidArgumentError } from '../errors';
import type { ImageInput } from '../image/to-image';
import { showValue } from '../options/show';
import type { Option } from '../options/table';
import { requireKnownOptions, requireNumber } from '../options/validate';
import type { StyleInput } from './styles';

/** A part of the picture with a style of its own: an entry of the option `regions` of `styleTransfer`. */
export interface Region<Input = ImageInput> {
  /**
   * Where the region is in the content image: a mask of the same aspect at any size, white (1) inside, black (0)
   * outside, grey at soft borders. A picture with transparent pixels counts by its alpha, others by their luminance
   * 0.299 R + 0.587 G + 0.114 B.
   */
  readonly content: Input;
  /**
   * Which part of the style image the region is painted in: a mask of the style image.
   * @default all of it
   */
  readonly style?: Input | undefined;
  /**
   * The style of this region: an image, a style file (without `style`, for it has no pixels), or a list of both with
   * weights.
   * @default the style of the call
   */
  readonly styleImage?: StyleInput<Input> | undefined;
  /**
   * Factor of the region's style loss, at least 0. The size of a region does not change its strength.
   * @default 1
   */
  readonly weight?: number | undefined;
  /**
   * Factor of the content loss within the region, at least 0: 0 leaves the region free, a large one keeps a face.
   * @default 1
   */
  readonly contentWeight?: number | undefined;
}

const names = ['content', 'style', 'styleImage', 'weight', 'contentWeight'] as const;
const entry = '{ content, style?, styleImage?, weight?, contentWeight? }';

/** The option `regions`. */
export const regionsOption: Option<readonly Region<never>[]> & {
  readonly flag: string;
  readonly help: string;
} = {
  accepts: `a list of ${entry}`,
  kind: 'regions',
  flag: '--region <masks>',
  help: 'a part of the picture with a style of its own, once for each: content-mask,style-mask,style-image, and perhaps weight=2 and content-weight=0; masks are white inside, and an empty style-mask is all of the style (default: none)',
  require(name, value) {
    const accepted = `a list of at least one ${entry}`;
    if (!Array.isArray(value) || value.length === 0)
      throw new InvalidArgumentError(
        Array.isArray(value) ? 'EMPTY' : 'WRONG_TYPE',
        `${name} is ${showValue(value)}; accepted: ${accepted}.`,
        { option: name, value, accepted },
      );
    for (const [i, region] of value.entries()) requireRegion(`${name}[${i}]`, region);
    if (value.every(({ weight = 1 }: Region) => weight === 0))
      throw new InvalidArgumentError(
        'OUT_OF_RANGE',
        `The weights of ${name} are all 0; accepted: one above 0.`,
        {
          option: name,
          value,
          accepted: 'a region of positive weight',
        },
      );
  },
};

function requireRegion(place: string, region: unknown): void {
  const { content, weight, contentWeight } = (region ?? {}) as Partial<Region<unknown>>;
  if (typeof region !== 'object' || content === undefined || content === null)
    throw new InvalidArgumentError(
      'MISSING',
      `${place} is ${showValue(region)} without the mask content; accepted: ${entry}.`,
      { option: place, value: region, accepted: entry },
    );
  requireKnownOptions(place, region as object, names);
  if (weight !== undefined) requireNumber(`${place}.weight`, weight, { min: 0 });
  if (contentWeight !== undefined) requireNumber(`${place}.contentWeight`, contentWeight, { min: 0 });
}
