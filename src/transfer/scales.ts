import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import { number, type Option, optionTable } from '../options/table';

/** A stage of a run: the size that it paints at, and how long. */
export interface Scale {
  /** Longer side in pixels, 16 to 16384. */
  readonly size: number;
  /**
   * Steps of the optimiser at most.
   * @default `iterations` of the run in the first stage, a half and a third of it in those that follow
   */
  readonly iterations?: number | undefined;
}

/** The sizes of a run: one, a list of them, or a list that the library chooses. */
export type Scales = 1 | 'auto' | readonly Scale[];

/** Range of an image's longer side. */
export const pixels = { min: 16, max: 16384, integer: true } as const;

/** Default of the longer side of the result, unless the content image is smaller. */
export const defaultSize = 512;

const scaleOptions = /* @__PURE__ */ optionTable<Scale>()('a stage of scales', {
  size: number(pixels),
  iterations: number({ min: 1, integer: true }),
});

const accepts = "1, 'auto', or a list of { size, iterations } in order of size";

/** The option `scales`. */
export const scalesOption: Option<Scales> & { readonly default: 'auto' } = {
  accepts,
  default: 'auto',
  kind: 'scales',
  flag: '--scales <sizes>',
  help: 'sizes to paint at in turn: auto, 1 for one size, or a list such as 256,512:60 with iterations after colons',
  require(name, value) {
    if (value === 1 || value === 'auto') return;
    if (!Array.isArray(value))
      throw new InvalidArgumentError('WRONG_TYPE', `${name} is ${showValue(value)}; accepted: ${accepts}.`, {
        option: name,
        value,
        accepted: accepts,
      });
    if (value.length === 0)
      throw new InvalidArgumentError('EMPTY', `${name} is an empty list; accepted: ${accepts}.`, {
        option: name,
        value,
        accepted: accepts,
      });
    requireAscending(
      name,
      value.map((scale, i) => sizeOf(scale, `${name}[${i}]`)),
    );
  },
};

/** The size of one stage. @throws InvalidArgumentError unless the stage is a plain record with a size */
function sizeOf(scale: Scale, path: string): number {
  const { size } = scaleOptions.read(scale, path);
  scaleOptions.options.size.require(`${path}.size`, size);
  return size;
}

function requireAscending(name: string, sizes: readonly number[]): void {
  const larger = sizes.findIndex((size, i) => size > sizes[i + 1]);
  if (larger < 0) return;
  const accepted = `a first size of at most ${sizes[larger + 1]}, or larger ones after ${sizes[larger]}`;
  throw new InvalidArgumentError(
    'OUT_OF_RANGE',
    `${name} is ${showValue(sizes)}, where ${sizes[larger]} is larger than the next, ${sizes[larger + 1]}; accepted: ${accepted}.`,
    { option: name, value: sizes, accepted },
  );
}

/** Options that depend on `scales`. */
interface BesideScales {
  readonly scales?: Scales | undefined;
  readonly size?: number | undefined;
  readonly iterations?: number | undefined;
  readonly loss?: unknown;
}

/**
 * Throws if an option would have no effect beside a list of scales, or if a loss of one size is given several.
 *
 * @param given the options as the caller wrote them
 * @throws InvalidArgumentError `CONFLICTING_OPTIONS`
 */
export function requireScalesFit({ scales, size, iterations, loss }: BesideScales): void {
  if (typeof scales !== 'object') return;
  const conflicting = (option: string, value: unknown, message: string, accepted: string) =>
    new InvalidArgumentError('CONFLICTING_OPTIONS', `${message}; accepted: ${accepted}.`, {
      option,
      value,
      accepted,
    });
  const last = scales.at(-1)?.size;
  if (size !== undefined && size !== last)
    throw conflicting(
      'size',
      size,
      `size is ${size}, but the last of scales is ${last}`,
      `${last}, or size left out`,
    );
  if (iterations !== undefined && scales.every((scale) => scale.iterations !== undefined))
    throw conflicting(
      'iterations',
      iterations,
      'iterations has no effect beside scales that all state theirs',
      'iterations left out, or a scale without iterations',
    );
  if (typeof loss === 'object' && scales.length > 1)
    throw conflicting(
      'scales',
      scales,
      `scales has ${scales.length} sizes, but loss holds targets of one`,
      'one size, or a function that makes a loss, which is called at each size',
    );
}
