import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { useWebgpu } from '../../src/node';
import { measurePrecision } from './precision';

/** Chromium's software adapter, which Debian's package has as a file of its own. */
const swiftshader = '/usr/lib/chromium/libvk_swiftshader.so';

/** Whether WebGPU can run here: on a GPU whose driver the environment names, or on Chromium's software adapter. */
export const hasWebgpu = process.env.VK_ICD_FILENAMES !== undefined || existsSync(swiftshader);
if (!hasWebgpu) console.warn(`skipped: the engine webgpu in Node (no ${swiftshader}; install chromium)`);

/** Makes webgpu the backend of a test file. Errors that WebGPU reports fail the file. */
export function onWebgpu(): void {
  const reported: string[] = [];
  beforeAll(async () => {
    if (!process.env.VK_ICD_FILENAMES) {
      const file = join(mkdtempSync(join(tmpdir(), 'icd-')), 'icd.json');
      const ICD = { library_path: swiftshader, api_version: '1.3.0' };
      writeFileSync(file, JSON.stringify({ file_format_version: '1.0.0', ICD }));
      process.env.VK_ICD_FILENAMES = file;
    }
    await useWebgpu();
    await measurePrecision();
    const { device } = tf.backend() as unknown as { device: GPUDevice };
    device.addEventListener('uncapturederror', ({ error }) => reported.push(error.message));
  });
  afterAll(() => {
    expect(reported).toEqual([]);
  });
}
