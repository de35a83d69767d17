import { InvalidArgumentError } from '../errors';
import type { Loss } from '../losses/loss';

/**
 * Whose colours a result has:
 *
 * - `'style'`: those of the style image;
 * - `'content'`: the chroma of the content, exactly. Content and style are painted in grey, the style with mean and
 *   deviation of the content's grey (Gatys, Bethge, Hertzmann, Shechtman 2017, luminance-only transfer), and images
 *   that are handed out have the chroma of the content;
 * - `'mean'`, `'covariance'`, `'histogram'`: those of the content, with strokes of any colour among them. The style
 *   image gets the content's colours before the run, by this method of `transferColor`.
 *
 * A style file has no image whose colours could be moved: the last three refuse it, and `'content'` takes it as it is,
 * so that it should have been made of grey images.
 */
export type ColorChoice = 'style' | 'content' | 'mean' | 'covariance' | 'histogram';

/** Every {@link ColorChoice}. */
export const colorChoices: readonly ColorChoice[] = ['style', 'content', 'mean', 'covariance', 'histogram'];

/** Throws if colours are chosen beside a loss that has its targets already. */
export function requireColorApplies({
  color,
  loss,
}: {
  readonly color: ColorChoice;
  readonly loss?: Loss | ((...targets: never) => unknown) | undefined;
}): void {
  if (color === 'style' || typeof loss !== 'object') return;
  const accepted = "color 'style', or loss as a function, which gets images of these colours";
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `color '${color}' has no effect on a loss that has its targets already; accepted: ${accepted}.`,
    { option: 'color', value: color, accepted },
  );
}
