import * as tf from '@tensorflow/tfjs-core';

/** The parts of tfjs' GPU backends that are read here. */
export interface GpuBackend {
  /** Of webgl. */
  readonly gpgpu?: { readonly gl?: WebGLRenderingContext } | undefined;
  /** Of webgpu. */
  readonly device?: WebGpuDevice | undefined;
}

/** The part of a `GPUDevice` that is read here. */
export interface WebGpuDevice {
  readonly lost: Promise<{ readonly message: string }>;
  readonly limits: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number };
  /** Not in every browser. */
  readonly adapterInfo?: { readonly isFallbackAdapter?: boolean | undefined } | undefined;
}

/** The active backend, as one of a GPU; without fields if it is none. */
export function gpuBackend(): GpuBackend {
  // Without a backend, `tf.backend()` would start one.
  return tf.getBackend() ? (tf.backend() as GpuBackend) : {};
}

/**
 * Whether the active backend is webgpu on a processor that computes as a GPU would, many times more slowly than the
 * wasm backend. Browsers fall back to such where they have no GPU.
 */
export const isSoftwareGpu = (): boolean => gpuBackend().device?.adapterInfo?.isFallbackAdapter === true;
