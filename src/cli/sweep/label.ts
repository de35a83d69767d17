import font from 'oled-font-5x7';
import type { OverlayOptions } from 'sharp';

/** Pixels of a label to a pixel of the font. */
const scale = 2;

/** Width of a character with the space after it, in pixels. */
const advance = scale * (font.width + 1);

/** Height of a line of text, in pixels. */
export const lineHeight = scale * (font.height + 3);

/** Number of characters that fit into a width. */
export const charactersIn = (width: number): number => Math.max(1, Math.floor(width / advance));

/** Width of a text in pixels. */
export const widthOf = (text: string): number => advance * text.length;

/**
 * Text as a picture in black on transparent, of glyphs that come with the package: a machine's fonts differ, and
 * servers often have none. Characters that the font lacks are shown as `?`.
 *
 * @param at place of the top left corner
 */
export function label(text: string, at: { readonly left: number; readonly top: number }): OverlayOptions {
  const [width, height] = [Math.max(1, widthOf(text)), scale * font.height];
  const pixels = Buffer.alloc(4 * width * height);
  for (const [i, character] of [...text].entries()) {
    const known = font.lookup.indexOf(character);
    const glyph = known < 0 ? font.lookup.indexOf('?') : known;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < scale * font.width; x++) {
        const column = font.fontData[glyph * font.width + Math.floor(x / scale)] ?? 0;
        if ((column >> Math.floor(y / scale)) & 1) pixels[4 * (y * width + i * advance + x) + 3] = 255;
      }
  }
  return { input: pixels, raw: { width, height, channels: 4 }, ...at };
}
