import type { LayerName } from '../../../features/layer-name';
import type { Grid } from '../device/gpu';
import type { Binding } from '../device/pieces';
import type { Work } from '../device/work';

/**
 * Adds the commands of a kernel to a plan.
 *
 * @param names of the bindings, in their order
 * @param run the kernel's workgroups; of a kernel that multiplies, its work, which may become several commands
 */
export type AddCommand = (
  label: string,
  code: string,
  names: readonly string[],
  pieces: Readonly<Record<string, Binding | undefined>>,
  run: Grid | Work,
) => void;

/** Height, width and channels of a layer. */
export type ShapeOf = (layer: LayerName) => readonly [height: number, width: number, channels: number];
