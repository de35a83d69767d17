/// <reference types="@webgpu/types" />
import type { Gpu, Slice } from '../device/gpu';

/** A vector's place on the device. */
export interface GpuVector {
  readonly page: number;
  readonly slot: number;
}

/** Bytes of a page, unless a single vector or a limit of the device asks for others. */
const pageBytes = 2 ** 26;

/**
 * Memory of vectors of one size: buffers of several vectors each, so that a kernel reads many of them by one binding,
 * and none so large that it could not be bound.
 */
export class Pages {
  /** Bytes of a vector, a multiple of 256, where bindings can begin. */
  readonly stride: number;
  private readonly slots: number;
  private readonly buffers: GPUBuffer[] = [];
  private readonly free: GpuVector[] = [];

  /** @param size components of a vector */
  constructor(
    private readonly gpu: Gpu,
    size: number,
  ) {
    this.stride = 256 * Math.ceil((4 * size) / 256);
    const most = Math.min(pageBytes, gpu.device.limits.maxStorageBufferBindingSize);
    this.slots = Math.max(1, Math.floor(most / this.stride));
  }

  /** A free place; its numbers are those of a vector before it, or zeros. */
  take(): GpuVector {
    const known = this.free.pop();
    if (known) return { ...known };
    const page = this.buffers.length;
    this.buffers.push(this.gpu.buffer(this.slots * this.stride, `vectors ${page}`));
    for (let slot = this.slots - 1; slot >= 0; slot--) this.free.push({ page, slot });
    return this.take();
  }

  give(vector: GpuVector): void {
    this.free.push(vector);
  }

  /** Where a vector lies. */
  slice({ page, slot }: GpuVector): Slice {
    return { buffer: this.buffers[page], offset: slot * this.stride, size: this.stride };
  }

  /** The whole buffer of a page. */
  page(page: number): Slice {
    return { buffer: this.buffers[page] };
  }

  /** A vector's first number in its page, over 4. */
  place4({ slot }: GpuVector): number {
    return (slot * this.stride) / 16;
  }

  /** Destroys all buffers. */
  dispose(): void {
    for (const buffer of this.buffers.splice(0)) buffer.destroy();
  }
}
