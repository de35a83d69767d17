import type { LayerName } from '../features/layers';

/** The last of `wanted` in the order of `layers`. */
export function deepestOf(wanted: readonly LayerName[], layers: readonly LayerName[]): LayerName {
  return layers[Math.max(0, ...wanted.map((layer) => layers.indexOf(layer)))];
}
