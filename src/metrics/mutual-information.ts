import type { ImageInput } from '../image/to-image';
import { number, oneOf, optionTable } from '../options/table';
import { greyLevels } from './grey';
import { withImagePair } from './image-pair';

/** The divisor of mutual information: 1, sqrt(H(A) H(B)), or (H(A) + H(B)) / 2. */
export type MutualInformationNormalization = 'none' | 'geometric' | 'arithmetic';

const normalizations: readonly MutualInformationNormalization[] = ['none', 'geometric', 'arithmetic'];

/** Options of {@link greyEntropies}. */
export interface GreyEntropiesOptions {
  /** Number of equal intervals into which the 256 grey levels are divided, 1 to 256. @default 256 */
  readonly bins?: number | undefined;
}

/** Options of {@link mutualInformation}. */
export interface MutualInformationOptions extends GreyEntropiesOptions {
  /** `'none'` gives bits; the other two a number in [0, 1]. @default 'none' */
  readonly normalization?: MutualInformationNormalization | undefined;
}

const bins = number({ min: 1, max: 256, integer: true, default: 256 });
const greyEntropiesOptions = optionTable<GreyEntropiesOptions>()('greyEntropies', { bins });
const mutualInformationOptions = optionTable<MutualInformationOptions>()('mutualInformation', {
  bins,
  normalization: oneOf(normalizations, { default: 'none' }),
});

/** Shannon entropies in bits. */
export interface GreyEntropies {
  /** H(A), of the first image's grey levels. */
  readonly a: number;
  /** H(B), of the second's. */
  readonly b: number;
  /** H(A, B), of the pairs of grey levels at one position. */
  readonly joint: number;
}

/**
 * Mutual information of the grey levels of two images: I = H(A) + H(B) - H(A, B) from their joint histogram, in bits,
 * or normalised: `'geometric'` I / sqrt(H(A) H(B)), `'arithmetic'` 2 I / (H(A) + H(B)) (Strehl & Ghosh 2002). Grey is
 * round(0.299 R + 0.587 G + 0.114 B) in 8 bits.
 *
 * With a constant image it is 0 bits. Normalised, two constant images have 1, a constant and another image 0.
 *
 * @param a an image of any size
 * @param b an image of the same size
 * @returns bits, from 0 to the smaller of the two entropies (at most 8); or a number in [0, 1]
 * @throws ImageError if the sizes differ or a pixel is not finite; InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const bits = await mutualInformation(stylised, style, { bins: 64 });
 * const share = await mutualInformation(stylised, style, { normalization: 'geometric' });
 * ```
 */
export async function mutualInformation(
  a: ImageInput,
  b: ImageInput,
  options: MutualInformationOptions = {},
): Promise<number> {
  const { bins, normalization } = mutualInformationOptions.read(options);
  return informationOf(await entropiesOf('mutualInformation', a, b, bins), normalization);
}

/**
 * The entropies from which mutual information is computed, in bits; other normalisations follow from them, such as
 * Studholme's (H(A) + H(B)) / H(A, B).
 *
 * @param a an image of any size
 * @param b an image of the same size
 * @throws ImageError if the sizes differ or a pixel is not finite; InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const { a, b, joint } = await greyEntropies(stylised, style);
 * ```
 */
export async function greyEntropies(
  a: ImageInput,
  b: ImageInput,
  options: GreyEntropiesOptions = {},
): Promise<GreyEntropies> {
  return entropiesOf('greyEntropies', a, b, greyEntropiesOptions.read(options).bins);
}

async function entropiesOf(
  caller: string,
  a: ImageInput,
  b: ImageInput,
  bins: number,
): Promise<GreyEntropies> {
  return withImagePair(caller, { a, b }, async (first, second) => {
    const [levelsA, levelsB] = [await first.data(), await second.data()].map((pixels) => greyLevels(pixels));
    return jointEntropies(levelsA, levelsB, bins);
  });
}

function informationOf(
  { a, b, joint }: GreyEntropies,
  normalization: MutualInformationNormalization,
): number {
  const bits = Math.max(0, a + b - joint);
  if (normalization === 'none') return bits;
  const scale = normalization === 'geometric' ? Math.sqrt(a * b) : (a + b) / 2;
  if (scale === 0) return a === b ? 1 : 0;
  return Math.min(1, bits / scale);
}

function jointEntropies(levelsA: Uint8Array, levelsB: Uint8Array, bins: number): GreyEntropies {
  const [countsA, countsB] = [new Uint32Array(bins), new Uint32Array(bins)];
  const countsJoint = new Uint32Array(bins * bins);
  for (let i = 0; i < levelsA.length; i++) {
    const [binA, binB] = [Math.floor((levelsA[i] * bins) / 256), Math.floor((levelsB[i] * bins) / 256)];
    countsA[binA]++;
    countsB[binB]++;
    countsJoint[binA * bins + binB]++;
  }
  return { a: entropy(countsA), b: entropy(countsB), joint: entropy(countsJoint) };
}

/** -sum p log2 p, in bits. */
function entropy(counts: Uint32Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce(
    (sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)),
    0,
  );
}
