/// <reference types="@webgpu/types" />
import { pyramidBands } from '../../../optim/pyramid-bands';
import type { Gpu, Grid, Slice } from '../device/gpu';
import type { VectorCommands } from './commands';
import { enlargeSource, halveSource, vectorGrid } from './vector-kernels';

interface Band {
  readonly height: number;
  readonly width: number;
  readonly sums: Slice;
  /** On the way back: this band and the coarser ones. */
  readonly lifted: Slice;
  readonly factors: Slice;
}

/** The operator of `pyramidPreconditioner` for images [height][width][3]. */
export class Pyramid {
  private readonly bands: readonly Band[];
  private readonly buffers: GPUBuffer[] = [];

  constructor(
    gpu: Gpu,
    private readonly commands: VectorCommands,
    private readonly height: number,
    private readonly width: number,
    options: { readonly exponent: number; readonly levels: number },
  ) {
    const keep = (buffer: GPUBuffer): Slice => {
      this.buffers.push(buffer);
      return { buffer };
    };
    this.bands = pyramidBands(height, width, options).map(({ height, width, rows, columns }) => ({
      height,
      width,
      sums: keep(gpu.buffer(12 * height * width, 'pyramid')),
      lifted: keep(gpu.buffer(12 * height * width, 'pyramid')),
      factors: keep(gpu.put(Float32Array.of(...rows, ...columns), 'pyramid')),
    }));
  }

  /** Records the operator at `from`; the result goes to `to`. */
  apply(from: Slice, to: Slice): void {
    const { commands, height, width, bands } = this;
    let finer = { height, width, sums: from };
    for (const band of bands) {
      const words = [finer.height, finer.width, band.height, band.width];
      const slices = [finer.sums, undefined, band.sums];
      commands.run({ label: 'halve', code: halveSource }, slices, words, gridFor(band));
      finer = band;
    }
    let coarser: Band | undefined;
    for (const band of [...bands].reverse()) {
      this.enlarge(band, band.sums, coarser, band.factors, band.lifted);
      coarser = band;
    }
    this.enlarge({ height, width }, from, coarser, undefined, to);
  }

  /** Destroys the buffers. Safe to call twice. */
  dispose(): void {
    for (const buffer of this.buffers.splice(0)) buffer.destroy();
  }

  private enlarge(
    { height, width }: Pick<Band, 'height' | 'width'>,
    sums: Slice,
    coarser: Band | undefined,
    factors: Slice | undefined,
    to: Slice,
  ): void {
    const words = [height, width, coarser?.height ?? 0, coarser?.width ?? 0, Number(factors !== undefined)];
    const slices = [sums, coarser?.lifted ?? sums, factors ?? sums, undefined, to];
    this.commands.run({ label: 'enlarge', code: enlargeSource }, slices, words, gridFor({ height, width }));
  }
}

/** Workgroups of a kernel with an invocation for each number of an image. */
const gridFor = ({ height, width }: Pick<Band, 'height' | 'width'>): Grid => vectorGrid(3 * height * width);
