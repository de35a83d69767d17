import { any, type Option } from '../options/table';

/** Values of a colour that stand for black and for white. */
export type ValueRange = readonly [min: number, max: number];

/** The option for a {@link ValueRange}. */
export const valueRange = (): Option<ValueRange> =>
  any<ValueRange>(
    'two different numbers, [min, max]',
    (value) =>
      Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] !== value[1],
  );
