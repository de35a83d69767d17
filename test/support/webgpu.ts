import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { useWebgpu } from '../../src/node';
import { measurePrecision } from './precision';
import { hasGpu, nameDriver, swiftshader } from './software-gpu';

/** Whether WebGPU can run here. */
export const hasWebgpu = hasGpu;
if (!hasWebgpu) console.warn(`skipped: the engine webgpu in Node (no ${swiftshader}; install chromium)`);

/**
 * Makes webgpu the backend of a test file. Errors that WebGPU reports fail the file, unless it provokes them.
 */
export function onWebgpu({ reports = 'forbidden' }: { reports?: 'forbidden' | 'expected' } = {}): void {
  const reported: string[] = [];
  beforeAll(async () => {
    nameDriver();
    await useWebgpu();
    await measurePrecision();
    const { device } = tf.backend() as unknown as { device: GPUDevice };
    device.addEventListener('uncapturederror', ({ error }) => reported.push(error.message));
  });
  afterAll(() => {
    if (reports === 'forbidden') expect(reported).toEqual([]);
  });
}
