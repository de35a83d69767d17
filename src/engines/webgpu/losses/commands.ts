import type { LayerName } from '../../../features/layer-name';
import type { Grid, Slice } from '../device/gpu';
import type { Piece } from '../device/pieces';

/** Adds a command to a plan. */
export type AddCommand = (
  label: string,
  code: string,
  names: readonly string[],
  pieces: Readonly<Record<string, Piece | Slice | undefined>>,
  grid: Grid,
) => void;

/** Height, width and channels of a layer. */
export type ShapeOf = (layer: LayerName) => readonly [height: number, width: number, channels: number];
