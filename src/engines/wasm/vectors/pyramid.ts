import { type PyramidBand, pyramidBands } from '../../../optim/pyramid-bands';
import type { KernelRunner } from '../runtime/kernel-runner';

/** `pyramidPreconditioner` for images [height][width][3] in an engine's memory. */
export class Pyramid {
  /** The image's own band, all factors 1, and then those of the octaves. */
  private readonly bands: readonly BandInMemory[];

  constructor(
    private readonly engine: KernelRunner,
    height: number,
    width: number,
    options: { readonly exponent: number; readonly levels: number },
  ) {
    const own = { height, width, rows: ones(height), columns: ones(width) };
    this.bands = [own, ...pyramidBands(height, width, options)].map((band, i) => place(engine, band, i > 0));
    engine.needScratch(36 * (width + 1) + 128);
  }

  /** The operator at the image at `from`, to `to`. */
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

  dispose(): void {
    for (const { sums, rows, columns } of this.bands)
      for (const address of [sums, rows, columns]) this.engine.memory.release(address);
  }
}

interface BandInMemory {
  readonly height: number;
  readonly width: number;
  /** Pooled sums, and then in their place what the band and those beyond it add up to; 0 for the image itself. */
  readonly sums: number;
  /** Factors of rows, and three for each column. */
  readonly rows: number;
  readonly columns: number;
}

function place({ memory }: KernelRunner, band: PyramidBand, pooled: boolean): BandInMemory {
  const { height, width, rows, columns } = band;
  const channels = Float32Array.from({ length: 3 * width }, (_, i) => columns[Math.floor(i / 3)]);
  return {
    height,
    width,
    // The kernels read by fours.
    sums: pooled ? memory.allocateFloats(height * width * 3 + 4) : 0,
    rows: memory.put(rows),
    columns: memory.put(channels),
  };
}

/** Rows of an item of work: a small image is not worth waking threads for. */
const rowShare = (height: number): number => Math.max(16, Math.ceil(height / 16));

const ones = (length: number): Float32Array => new Float32Array(length).fill(1);
