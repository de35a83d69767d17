/// <reference types="@webgpu/types" />
import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../../../errors';

/**
 * The parts of tfjs' webgpu backend that this engine reads, which tfjs does not declare as public: kernels of both work
 * on one device and one queue, so that tensors are buffers that need not be copied. `test/engines/webgpu` fails if a
 * version of tfjs changes them.
 */
interface WebGpuBackend {
  readonly device: GPUDevice;
  readonly commandEncoder: GPUCommandEncoder | null;
  readonly tensorMap: { get(dataId: object): { readonly resource?: GPUBuffer } };
  readonly bufferManager: {
    /** Buffers that no tensor has, by size and usage. */
    readonly freeBuffers: ReadonlyMap<string, GPUBuffer[]>;
    numFreeBuffers: number;
    numBytesAllocated: number;
  };
  uploadToGPU(dataId: object): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The device of tfjs' active backend; undefined unless that is webgpu. */
export function activeDevice(): GPUDevice | undefined {
  if (tf.getBackend() !== 'webgpu') return undefined;
  // `tf.backend()` throws where webgpu was asked for and has not started.
  return (tf.engine().registry.webgpu as Partial<WebGpuBackend> | undefined)?.device;
}

/** tfjs' webgpu backend, and the conversion of tensors to buffers and back. */
export class TfjsDevice {
  readonly device: GPUDevice;
  private readonly backend: WebGpuBackend;

  /** @throws EnvironmentError `ENGINE_UNSUPPORTED` unless webgpu is the active backend */
  constructor() {
    const device = activeDevice();
    if (!device) {
      const accepted = "tfjs' backend webgpu, active before the network is loaded";
      const value = tf.getBackend();
      const message = `The engine webgpu computes on the device of ${accepted}; the active one is '${value}'.`;
      throw new EnvironmentError('ENGINE_UNSUPPORTED', message, { option: 'engine', value, accepted });
    }
    this.device = device;
    this.backend = tf.backend() as unknown as WebGpuBackend;
  }

  /** Submits what tfjs has recorded, so that commands submitted later read its results. */
  flush(): void {
    const { backend } = this;
    if (!backend.commandEncoder) return;
    backend.endComputePassEncoder();
    backend.submitQueue();
  }

  /**
   * Gives back the memory of tensors that are disposed: tfjs keeps their buffers for others of the same size, and gives
   * none back itself.
   */
  trim(): void {
    this.flush();
    const { bufferManager } = this.backend;
    for (const buffers of bufferManager.freeBuffers.values())
      for (const buffer of buffers.splice(0)) {
        bufferManager.numFreeBuffers--;
        bufferManager.numBytesAllocated -= buffer.size;
        buffer.destroy();
      }
  }

  /** The buffer that a tensor's values lie in, for as long as the tensor lives; it may be larger. */
  bufferOf(tensor: tf.Tensor): GPUBuffer {
    // tfjs leaves a tensor on the processor until one of its own kernels needs it.
    this.backend.uploadToGPU(tensor.dataId);
    this.flush();
    const { resource } = this.backend.tensorMap.get(tensor.dataId);
    if (!resource) throw new Error('tfjs has no buffer for a tensor of its webgpu backend.');
    return resource;
  }

  /** A new tensor with a copy of the first values of a buffer, which is as large as them. */
  tensorOf<R extends tf.Rank>(buffer: GPUBuffer, shape: tf.ShapeMap[R]): tf.Tensor<R> {
    return tf.tensor({ buffer, zeroCopy: false } as never, shape, 'float32') as tf.Tensor<R>;
  }

  /** A tensor that is a buffer. It frees nothing, and the buffer must outlive it. */
  viewOf<R extends tf.Rank>(buffer: GPUBuffer, shape: tf.ShapeMap[R]): tf.Tensor<R> {
    return tf.tensor({ buffer, zeroCopy: true } as never, shape, 'float32') as tf.Tensor<R>;
  }
}
