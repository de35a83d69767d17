import type { LayerName } from '../../../features/layer-name';
import type { Grid } from '../device/gpu';
import type { Binding } from '../device/pieces';

/** Adds a command to a plan. */
export type AddCommand = (
  label: string,
  code: string,
  names: readonly string[],
  pieces: Readonly<Record<string, Binding | undefined>>,
  grid: Grid,
) => void;

/** Height, width and channels of a layer. */
export type ShapeOf = (layer: LayerName) => readonly [height: number, width: number, channels: number];
