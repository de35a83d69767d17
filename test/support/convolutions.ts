import type { Tile } from '../../src/engines/webgpu/device/product';
import type { Convolutions, FilterForm } from '../../src/engines/webgpu/network/convolutions';

/** Software compiles small kernels in tenths of seconds, those of a large tile in seconds. */
const tile: Tile = { rows: 16, columns: 16, depth: 16, blockRows: 4, blockColumns: 4 };

/**
 * Small kernels that compute every convolution in one form, if its map is not too small for it, and planes in chunks.
 */
export const convolutionsBy = (form: FilterForm): Convolutions => ({
  tile,
  fused: form === 'windows2',
  planesFrom: form === 'windows4' ? 4 : Number.POSITIVE_INFINITY,
  planeBytes: 20_000,
});
