import { any, type Option } from '../options/table';

/** The option `styleWeights` of what blends several styles: one number for each. @param about flag and help */
export const styleWeightsOption = (
  about: Pick<Option<readonly number[]>, 'help'>,
): Option<readonly number[]> & { readonly flag: string } => ({
  ...any<readonly number[], { flag: string }>(
    'numbers of at least 0, one for each style, separated by commas and not all 0',
    (value) =>
      Array.isArray(value) &&
      value.every((weight) => Number.isFinite(weight) && weight >= 0) &&
      value.some((weight) => weight > 0),
    { flag: '--style-weights <numbers>' },
  ),
  ...about,
  kind: 'numbers',
});
