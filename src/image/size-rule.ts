/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The size that an image is resized to: by its longer or its shorter side, by a maximum of its longer side, or by width
 * and height. Width and height stretch the image; with `crop` it keeps its aspect ratio and is cut to its middle.
 */
export type SizeRule =
  | { readonly longerSide: number }
  | { readonly shorterSide: number }
  | { readonly atMost: number }
  | (Size & { readonly crop?: boolean });

/**
 * The size of an image of `width` x `height` pixels after a rule; without a rule unchanged. Every side is at least one
 * pixel.
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
