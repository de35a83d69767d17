/// <reference types="@webgpu/types" />
import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { TfjsDevice } from '../../src/engines/webgpu/device/tfjs-device';
import { useWebgpu } from '../../src/node/use-webgpu';
import { nameDriver } from '../../test/support/software-gpu';

/** The adapter of the measurements. */
export interface Adapter {
  readonly name: string;
  /** Whether a processor computes in place of a GPU. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/** Makes webgpu the backend: on a GPU, by the driver of VK_ICD_FILENAMES, or else on Chromium's software. */
export async function startWebgpu(): Promise<Adapter> {
  // Linux has a device file for each GPU.
  const hasGpu =
    process.platform !== 'linux' || ['/dev/dri', '/dev/nvidia0'].some((path) => existsSync(path));
  if (!hasGpu) nameDriver();
  await useWebgpu();
  await tf.ready();
  const { device } = new TfjsDevice();
  const { vendor, architecture, description, isFallbackAdapter } = device.adapterInfo;
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  return {
    name: [description || vendor, architecture].filter(Boolean).join(', '),
    software: isFallbackAdapter === true,
    features: [...device.features].sort(),
    maxBufferSize,
    maxStorageBufferBindingSize,
  };
}
