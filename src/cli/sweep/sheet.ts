import { join } from 'node:path';
import type { OverlayOptions } from 'sharp';
import { loadSharp } from '../../node/load-sharp';
import type { Grid } from './grid';
import { charactersIn, label, lineHeight, widthOf } from './label';
import type { CellResult } from './results';

/** Longer side of a picture on the sheet, in pixels. */
const side = 256;

/** Pixels between pictures. */
const gap = 8;

/**
 * The pictures of a grid on one sheet, as PNG: the values of the last option along the top, those of the others down
 * the left side. Cells without a picture say why.
 *
 * @param folder where the pictures are
 * @param results by the name of the cell's file
 */
export async function contactSheet(
  grid: Grid,
  folder: string,
  results: ReadonlyMap<string, CellResult>,
): Promise<Buffer> {
  const sharp = await loadSharp();
  const words = grid.rows.map(({ title }) => title.split(' ').flatMap((word) => lines(word, 20)));
  const left = Math.max(0, ...words.flat().map(widthOf)) + gap;
  const titles = grid.columns.map((title) => lines(title, charactersIn(side)));
  const top = Math.max(...titles.map(({ length }) => length)) * lineHeight + gap;
  const pictures = new Map<string, Awaited<ReturnType<typeof thumbnail>>>();
  for (const { file } of grid.rows.flatMap(({ cells }) => cells))
    if (results.get(file)?.state === 'done') pictures.set(file, await thumbnail(join(folder, file)));
  // Words of a cell without a picture need some room too.
  const tallest = Math.max(side / 2, ...[...pictures.values()].map(({ info }) => info.height));
  const place = (row: number, column: number) => ({
    left: left + column * (side + gap),
    top: top + row * (tallest + gap),
  });
  const parts: OverlayOptions[] = [
    ...titles.flatMap((text, column) => textLines(text, { left: place(0, column).left, top: gap / 2 })),
    ...words.flatMap((text, row) => textLines(text, { left: gap / 2, top: place(row, 0).top })),
  ];
  for (const [row, { cells }] of grid.rows.entries())
    for (const [column, { file }] of cells.entries()) {
      const at = place(row, column);
      const result = results.get(file) ?? { state: 'pending' };
      const picture = pictures.get(file);
      if (picture) {
        parts.push({ input: picture.data, ...at });
        continue;
      }
      const text = result.state === 'failed' ? `failed: ${result.reason}` : 'not painted yet';
      const shown = lines(text, charactersIn(side - 2 * gap)).slice(0, Math.floor(tallest / lineHeight) - 1);
      const background = result.state === 'failed' ? '#f3c6c6' : '#e4e4e4';
      parts.push({ input: { create: { width: side, height: tallest, channels: 3, background } }, ...at });
      parts.push(...textLines(shown, { left: at.left + gap, top: at.top + gap }));
    }
  const { left: width, top: height } = place(grid.rows.length, grid.columns.length);
  const sheet = sharp({ create: { width, height, channels: 3, background: '#ffffff' } });
  return sheet.composite(parts).png().toBuffer();
}

/** A picture as large as it is shown, as PNG. */
async function thumbnail(path: string) {
  const sharp = await loadSharp();
  return sharp(path).resize(side, side, { fit: 'inside' }).png().toBuffer({ resolveWithObject: true });
}

/** Lines of text, one below the other. */
const textLines = (text: readonly string[], { left, top }: { left: number; top: number }): OverlayOptions[] =>
  text.map((line, i) => label(line, { left, top: top + i * lineHeight }));

/** A text in lines of at most `length` characters, broken between words where there are any. */
function lines(text: string, length: number): readonly string[] {
  const found: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const space = rest.length > length ? rest.lastIndexOf(' ', length) : -1;
    const end = space > 0 ? space : length;
    found.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return found;
}
