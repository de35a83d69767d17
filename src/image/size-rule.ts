/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * How large an image is to become, whatever its own size: its longer or its shorter side exactly, its longer side at
 * most, or a width and a height. A width and a height stretch the image; with `crop` it keeps its aspect ratio, and the
 * middle of it is cut out.
 */
export type SizeRule =
  | { readonly longerSide: number }
  | { readonly shorterSide: number }
  | { readonly atMost: number }
  | (Size & { readonly crop?: boolean });

/**
 * The size of an image of `width` x `height` pixels after a rule; without a rule its own. No side becomes shorter than
 * a pixel.
 */
export function sizeAfter(rule: SizeRule | undefined, width: number, height: number): Size {
  if (rule === undefined) return { width, height };
  if ('width' in rule) return { width: rule.width, height: rule.height };
  const longer = Math.max(width, height);
  if ('shorterSide' in rule) return scaled(width, height, rule.shorterSide / Math.min(width, height));
  if ('longerSide' in rule) return scaled(width, height, rule.longerSide / longer);
  return longer <= rule.atMost ? { width, height } : scaled(width, height, rule.atMost / longer);
}

function scaled(width: number, height: number, factor: number): Size {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
