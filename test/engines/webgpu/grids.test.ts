import { describe, expect, it } from 'vitest';
import { type Gpu, type Grid, gpuOf } from '../../../src/engines/webgpu/device/gpu';
import { TfjsDevice } from '../../../src/engines/webgpu/device/tfjs-device';
import { gpuSpace } from '../../../src/engines/webgpu/vectors/gpu-space';
import { Pyramid } from '../../../src/engines/webgpu/vectors/pyramid';
import { pyramidPreconditioner } from '../../../src/optim';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';

/** What every device dispatches along a dimension. */
const most = 65535;

describe('the grids of vectors', () => {
  it('keep to what a device dispatches, of images of 4096 x 4096 pixels', () => {
    const side = 4096;
    const grids: Grid[] = [];
    const gpu = { buffer: () => ({}), put: () => ({}) } as unknown as Gpu;
    const run = (_kernel: unknown, _slices: unknown, _words: unknown, grid: Grid) => void grids.push(grid);
    const pyramid = new Pyramid(gpu, { run } as never, side, side, { exponent: 0.5, levels: 6 });
    const nowhere = { buffer: {} as GPUBuffer };
    pyramid.apply(nowhere, nowhere);
    expect(grids).toHaveLength(13);
    const [x, y] = grids[12];
    expect(256 * x * y).toBeGreaterThanOrEqual(3 * side * side);
    expect(Math.max(...grids.flat())).toBeLessThanOrEqual(most);
  });
});

describe.skipIf(!hasWebgpu)('vectors of large images', { timeout: 240_000 }, () => {
  onWebgpu();

  it('have all their numbers treated, where workgroups lie along two dimensions', async () => {
    // 3 * 1700 * 1660 numbers: 33 070 workgroups. Without levels the operator is the identity.
    const shape = [1700, 1660, 3] as const;
    const [tfjs, preconditioner] = [new TfjsDevice(), pyramidPreconditioner({ levels: 0 })];
    const space = gpuSpace(gpuOf(tfjs.device), tfjs, shape);
    const values = Float32Array.from({ length: 3 * 1700 * 1660 }, (_, i) => 1 + i);
    const made = space.tensor(space.precondition(preconditioner, space.vector(values)));
    const found = await made.data();
    expect(found.findIndex((value, i) => value !== values[i])).toBe(-1);
    space.close();
    made.dispose();
  });
});
