import * as tf from '@tensorflow/tfjs-core';
import type { Sharp } from 'sharp';
import { apart, measureFilms, together } from '../video/measure.ts';
import { tableOf } from '../video/table.ts';
import { sideBySide } from './side-by-side.ts';

/** First of the frames that are shown, and their number. */
const [first, count] = [2, 4];

/** Four consecutive frames of each film, painted each by itself and with temporal loss. Prints the films' tables. */
export async function video(): Promise<Sharp> {
  const films = await measureFilms();
  for (const film of films) console.log(`${tableOf(film)}\n`);
  const [{ width }] = films;
  const images = films.flatMap(({ film, ways, width, height }) => {
    const shown = ways.filter(({ name }) => name === apart || name === together);
    const rows = [film.map(({ rgb }) => rgb), ...shown.map(({ painted }) => painted)];
    return rows.flatMap((row) =>
      row.slice(first, first + count).map((rgb) => tf.tensor3d(rgb, [height, width, 3])),
    );
  });
  const sheet = await sideBySide(images, count);
  tf.dispose(images);
  return sheet.resize({ width: 2 * (count * (width + 8) - 8) });
}
