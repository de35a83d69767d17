import { type PyramidBand, pyramidBands } from '../../../optim/pyramid-bands';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';

/** The operator of `pyramidPreconditioner` for images [height][width][3] in an engine's memory. */
export class Pyramid {
  /** The image's own band, with factors of 1, and then those of the octaves. */
  private readonly bands: readonly BandInMemory[];
  private readonly blocks: Blocks;

  constructor(
    private readonly engine: KernelRunner,
    height: number,
    width: number,
    options: { readonly exponent: number; readonly levels: number },
  ) {
    const own = { height, width, rows: ones(height), columns: ones(width) };
    const blocks = new Blocks(engine.memory);
    this.blocks = blocks;
    this.bands = owning(({ result }) => {
      result(blocks);
      engine.needScratch(36 * (width + 1) + 128);
      return [own, ...pyramidBands(height, width, options)].map((band, i) => place(blocks, band, i > 0));
    });
  }

  /** Applies the operator to the image at address `from`; the result goes to address `to`. */
  apply(from: number, to: number): void {
    const { engine, bands } = this;
    bands.slice(1).forEach(({ sums, height }, i) => {
      const finer = bands[i];
      const share = rowShare(height);
      const args = [finer.sums || from, sums, finer.height, finer.width, share];
      engine.run('halve', args, Math.ceil(height / share));
    });
    let coarser = 0;
    for (const { sums, height, width, rows, columns } of [...bands].reverse()) {
      const share = rowShare(height);
      const args = [sums || from, rows, columns, height, width, coarser, sums || to, share];
      engine.run('enlarge', args, Math.ceil(height / share));
      coarser = sums;
    }
  }

  /** Frees the bands. Safe to call twice. */
  dispose(): void {
    this.blocks.dispose();
  }
}

interface BandInMemory {
  readonly height: number;
  readonly width: number;
  /**
   * Address of the pooled sums, and on the way back, in their place, of the sum of this band and the coarser ones; 0
   * for the image itself.
   */
  readonly sums: number;
  /** Addresses of the factors of rows, and of those of columns, three times each. */
  readonly rows: number;
  readonly columns: number;
}

function place(blocks: Blocks, band: PyramidBand, pooled: boolean): BandInMemory {
  const { height, width, rows, columns } = band;
  const channels = Float32Array.from({ length: 3 * width }, (_, i) => columns[Math.floor(i / 3)]);
  return {
    height,
    width,
    // Kernels read four values at a time, beyond the last pixel.
    sums: pooled ? blocks.allocateFloats(height * width * 3 + 4) : 0,
    rows: blocks.put(rows),
    columns: blocks.put(channels),
  };
}

/** Rows for each item of work; at least 16, because waking threads costs more than a few rows. */
const rowShare = (height: number): number => Math.max(16, Math.ceil(height / 16));

const ones = (length: number): Float32Array => new Float32Array(length).fill(1);
