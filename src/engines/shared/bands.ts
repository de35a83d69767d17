import type { LayerName } from '../../features/layer-name';
import { isPool, type NetworkStep } from '../../features/network';

/** Rows `from` to `to` - 1 of an image or a feature map. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

/**
 * A strip of an image over its whole width. Each row of each layer's feature map is owned by one band. A band computes
 * the network on the image's rows {@link rows}, as if they were the whole image; the rows that it owns are then those
 * of the whole image, because everything that they depend on lies inside. Rows of no owner may be wrong.
 */
export interface Band {
  /** Rows of the image: those that the band owns, and around them the halo, the rows that these depend on. */
  readonly rows: Rows;
  /**
   * Rows of a layer that the band owns, counted from the first row of the band's own feature map; none (`from` equal to
   * `to`) in a last band that is lower than a deep layer's stride.
   */
  owned(layer: LayerName): Rows;
  /** {@link owned}, of a map behind so many poolings. */
  ownedAfter(poolings: number): Rows;
  /** The first of the band's own rows of a layer, counted in the whole image's feature map. */
  first(layer: LayerName): number;
}

/**
 * Cuts an image into bands, from top to bottom. At a layer whose positions are 2^k pixels apart, a band owns the
 * positions that begin in its own pixels; each band but the last owns a multiple of the deepest layer's stride, so that
 * windows of poolings are never cut.
 *
 * A gradient is the sum over bands of what their owned rows send back: it stays inside of the halo as well. Where halos
 * overlap, the gradients of pixels add up.
 *
 * @param steps the network
 * @param layers the layers that are read, `'image'` with the neighbouring rows that total variation compares
 * @param height rows of the image
 * @param rows rows of the image that a band owns; rounded up to a multiple of the stride
 */
export function bandsOf(
  steps: readonly NetworkStep[],
  layers: readonly LayerName[],
  height: number,
  rows: number,
): readonly Band[] {
  const { count, band } = cut(steps, layers, height, rows);
  return Array.from({ length: count }, (_, k) => band(k));
}

/** Number of bands, and rows of the image that the highest of them computes with, of {@link bandsOf}. */
export function bandExtents(...args: Parameters<typeof bandsOf>): { count: number; highest: number } {
  const { count, band } = cut(...args);
  // Bands are alike but for those whose halos the image's edges cut off, and a last one that is lower.
  const middle = (count - 1) >> 1;
  const heights = [0, middle, Math.min(middle + 1, count - 1)].map((k) => band(k).rows);
  return { count, highest: Math.max(...heights.map(({ from, to }) => to - from)) };
}

function cut(
  steps: readonly NetworkStep[],
  layers: readonly LayerName[],
  height: number,
  rows: number,
): { readonly count: number; band(k: number): Band } {
  const stride = strideOf(steps, layers);
  const step = Math.max(stride, Math.ceil(rows / stride) * stride);
  const count = Math.ceil(height / step);
  const halvings = new Map(['image' as const, ...layers].map((layer) => [layer, poolsUpTo(steps, layer)]));
  const halvingsOf = (layer: LayerName) => halvings.get(layer) ?? poolsUpTo(steps, layer);
  const band = (k: number): Band => {
    /** Rows of the whole image's map. */
    const inWhole = (poolings: number): Rows => ({
      from: (k * step) >> poolings,
      to: Math.min(height, (k + 1) * step) >> poolings,
    });
    const cone = coneOf(steps, layers, height, (layer) => inWhole(halvingsOf(layer)));
    const from = cone.from - (cone.from % stride);
    const ownedAfter = (poolings: number): Rows => {
      const owned = inWhole(poolings);
      const first = from >> poolings;
      return { from: owned.from - first, to: owned.to - first };
    };
    return {
      rows: { from, to: cone.to },
      owned: (layer) => ownedAfter(halvingsOf(layer)),
      ownedAfter,
      first: (layer) => from >> halvingsOf(layer),
    };
  };
  return { count, band };
}

/**
 * The numbers of rows, from all of the image's down to the stride, that give bands of different number: each the least
 * with as many bands.
 */
export function* rowsOfBands(
  steps: readonly NetworkStep[],
  layers: readonly LayerName[],
  height: number,
): Generator<number, void> {
  const stride = strideOf(steps, layers);
  yield height;
  const strides = Math.ceil(height / stride);
  let before = strides;
  for (let count = 2; count <= strides; count++) {
    const rows = Math.ceil(strides / count);
    if (rows < before) yield rows * stride;
    before = rows;
  }
}

/** Distance in pixels of neighbouring positions of the deepest of some layers. */
export function strideOf(steps: readonly NetworkStep[], layers: readonly LayerName[]): number {
  return 2 ** Math.max(0, ...layers.map((layer) => poolsUpTo(steps, layer)));
}

/** Number of poolings up to a layer, itself included. */
function poolsUpTo(steps: readonly NetworkStep[], layer: LayerName): number {
  const end = steps.findIndex(({ name }) => name === layer) + 1;
  return steps.slice(0, end).filter(isPool).length;
}

/** Rows of the image that owned rows of layers depend on. */
function coneOf(
  steps: readonly NetworkStep[],
  layers: readonly LayerName[],
  height: number,
  ownedOf: (layer: LayerName) => Rows,
): Rows {
  let needed: Rows = { from: 0, to: 0 };
  const need = (layer: LayerName) => {
    if (layers.includes(layer)) needed = union(needed, ownedOf(layer));
  };
  let halvings = steps.filter(isPool).length;
  for (const step of steps.toReversed()) {
    need(step.name);
    if (step.op === 'conv') needed = widened(needed, height >> halvings);
    if (isPool(step)) {
      needed = { from: 2 * needed.from, to: 2 * needed.to };
      halvings--;
    }
  }
  const inner = needed;
  needed = { from: 0, to: 0 };
  need('image');
  return union(inner, widened(needed, height));
}

/** Rows with one more on either side, inside of a map. */
const widened = ({ from, to }: Rows, height: number): Rows =>
  from === to ? { from, to } : { from: Math.max(0, from - 1), to: Math.min(height, to + 1) };

/** The rows of both and those between; rows without any count as none. */
function union(a: Rows, b: Rows): Rows {
  if (a.from === a.to) return b;
  if (b.from === b.to) return a;
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}
