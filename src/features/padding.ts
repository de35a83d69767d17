/**
 * What a convolution reads beyond the border of its input: `'zero'`, as VGG-19 was trained; `'replicate'`, the nearest
 * pixel; `'reflect'`, the mirror image about the outermost pixel, which is not repeated.
 */
export type Padding = 'zero' | 'replicate' | 'reflect';

/** Every {@link Padding}. */
export const paddings: readonly Padding[] = ['zero', 'replicate', 'reflect'];

/** The rows (or columns) that stand before the first and behind the last of `size`; undefined where zeros do. */
export function borderOf(
  padding: Padding,
  size: number,
): { readonly before: number; readonly behind: number } | undefined {
  if (padding === 'zero') return undefined;
  const step = padding === 'reflect' && size > 1 ? 1 : 0;
  return { before: step, behind: size - 1 - step };
}
