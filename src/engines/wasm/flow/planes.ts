import { Blocks, withBlocks } from '../blocks';
import { KernelMemory } from '../runtime/kernel-memory';
import { type FlowKernelName, type FlowKernels, startFlowKernels } from './flow-kernels';

/** Size of a picture in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A float for each pixel of a picture, in the kernels' memory. */
export interface Plane extends PictureSize {
  readonly address: number;
}

/** Floats of a row in memory: whole blocks of the kernels. */
export const strideOf = (width: number): number => 16 * Math.ceil(width / 16);

/** A symmetric filter, by its taps from the middle on, in the kernels' memory. */
export interface Filter {
  readonly address: number;
  readonly radius: number;
}

/** A memory for planes of sizes up to a largest one, with the kernels that compute with them. */
export class Planes {
  private readonly scratch: number;
  private readonly line: number;

  private constructor(
    private readonly memory: KernelMemory,
    private readonly kernels: FlowKernels,
    { width, height }: PictureSize,
  ) {
    this.scratch = memory.allocateFloats(strideOf(width) * height);
    // The widest reach of a filter, and the end of a vector behind it.
    this.line = memory.allocateFloats(strideOf(width) + 2 * 32 + 4);
  }

  /**
   * The kernels with an empty memory.
   *
   * @throws EnvironmentError `NO_SIMD`, `NO_WASM`, or `OUT_OF_MEMORY`
   */
  static async upTo(size: PictureSize): Promise<Planes> {
    const memory = new KernelMemory(false, 'Optical flow');
    return new Planes(memory, await startFlowKernels(memory), size);
  }

  /** Planes that are given back when `work` ends. */
  during<T>(work: (like: (size: PictureSize) => Plane) => T): T {
    return withBlocks(this.memory, (blocks) => work((size) => this.planeIn(blocks, size)));
  }

  /** A plane that stays, of zeros. */
  keep(size: PictureSize): Plane {
    const plane = this.planeIn(new Blocks(this.memory), size);
    this.valuesOf(plane).fill(0);
    return plane;
  }

  /** Floats of a plane, in rows of {@link strideOf}. */
  valuesOf({ address, width, height }: Plane): Float32Array {
    return this.memory.floats(address, strideOf(width) * height);
  }

  /** A filter that stays, of at most 33 taps from its middle on. */
  filter(taps: readonly number[]): Filter {
    return { address: this.memory.put(Float32Array.from(taps)), radius: taps.length - 1 };
  }

  /** Runs a kernel on planes, and numbers, in the order of its arguments; without the size, that of the first plane. */
  run(name: FlowKernelName, first: Plane, ...others: readonly (Plane | number)[]): void {
    const values = others.map((other) => (typeof other === 'number' ? other : other.address));
    this.kernels[name](first.address, ...values, first.width, first.height);
  }

  /** Convolves along rows and columns; beyond the border lies the nearest pixel. @param to may be `from` */
  blur(from: Plane, { address, radius }: Filter, to: Plane): void {
    this.run('blur', from, to, this.scratch, this.line, address, radius);
  }

  /** Values of the pixels some columns to the right and rows down, at most eight, or of the nearest inside. */
  shift(from: Plane, columns: number, rows: number, to: Plane): void {
    this.run('shifted', from, to, this.line, columns, rows);
  }

  /** Derivatives to the right and down, and their products. */
  derivatives(from: Plane, ...to: readonly [dx: Plane, dy: Plane, xx: Plane, xy: Plane, yy: Plane]): void {
    this.run('derivatives', from, this.line, ...to);
  }

  /** Replaces every value but those of the border by the median of the nine around it. */
  medianOfNine(plane: Plane): void {
    this.run('medianOfNine', plane, this.scratch);
  }

  /** Ends the use of the memory. */
  dispose(): void {
    this.memory.dispose();
  }

  private planeIn(blocks: Blocks, { width, height }: PictureSize): Plane {
    // A place between pixels is read with the pixel to its right, behind the last one too.
    return { address: blocks.allocateFloats(strideOf(width) * height + 4), width, height };
  }
}
