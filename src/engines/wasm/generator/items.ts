/** Work on a map cut into rectangles. It depends on the map alone, so that sums do not depend on threads. */
export interface Items {
  /** Rows and columns of an item. */
  readonly rows: number;
  readonly columns: number;
  /** Items beside each other. */
  readonly across: number;
  readonly items: number;
}

/**
 * Enough items for eight threads even of small maps, and rows not so long that those of a window leave the caches.
 *
 * @param most columns of an item
 * @param unit rows that are computed together
 */
export function itemsOf(height: number, width: number, most = 256, unit = 4): Items {
  const rows = unit * Math.min(Math.floor(18 / unit), Math.ceil(height / (16 * unit)));
  const columns = 8 * Math.ceil(width / Math.ceil(width / most) / 8);
  const across = Math.ceil(width / columns);
  return { rows, columns, across, items: across * Math.ceil(height / rows) };
}
