import type { LayerName } from '../../../features/layer-name';
import type { Grid } from '../device/gpu';
import type { Binding } from '../device/pieces';

/**
 * Adds a command to a plan.
 *
 * @param names of the bindings, in their order
 * @param flop of its products, see `Cost`; none by default
 */
export type AddCommand = (
  label: string,
  code: string,
  names: readonly string[],
  pieces: Readonly<Record<string, Binding | undefined>>,
  grid: Grid,
  flop?: number,
) => void;

/** Height, width and channels of a layer. */
export type ShapeOf = (layer: LayerName) => readonly [height: number, width: number, channels: number];
