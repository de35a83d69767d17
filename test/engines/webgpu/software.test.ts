import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StyleTransferProgress } from '../../../src';
import { totalVariationLoss } from '../../../src/losses';
import { loadVgg19, styleTransfer } from '../../../src/node';
import { tinyExtractor } from '../../../src/testing';
import { noise } from '../../support/images';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';

const pixels = (seed: number) => ({
  data: Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * seed) % 251),
  width: 16,
  height: 16,
  channels: 3 as const,
});

describe.skipIf(!hasWebgpu)("engine 'auto' where WebGPU is software", () => {
  onWebgpu();
  beforeEach(async () => void (await tf.setBackend('webgpu')));
  afterEach(() => void vi.restoreAllMocks());

  it('paints by wasm, and says so once', async () => {
    // A tensor of the program that lies on the GPU alone is an image like any other.
    const content = tf.tidy(() => tf.sqrt(noise(16, 16, 3)));
    const warnings: StyleTransferProgress[] = [];
    const { image, engine, backend, dispose } = await styleTransfer(content, pixels(11), {
      weights: 'embedded',
      iterations: 2,
      onProgress: (event) => void (event.type === 'warning' && warnings.push(event)),
    });
    expect({ engine, backend }).toEqual({ engine: 'wasm', backend: 'wasm' });
    expect((await image.data()).every(Number.isFinite)).toBe(true);
    expect(warnings).toEqual([
      {
        type: 'warning',
        code: 'BACKEND_REPLACED',
        message:
          "The backend 'webgpu' has no GPU here and computes in software; 'wasm' computes in its place.",
      },
    ]);
    dispose();
    content.dispose();
  });

  it('stays where the program has an extractor or a loss of its own on the backend', async () => {
    const extractor = tinyExtractor({ seed: 1 });
    const loss = totalVariationLoss();
    const notAnImage = {} as never;
    for (const options of [{ extractor }, { loss }, { engine: 'webgpu' as const }]) {
      await expect(styleTransfer(notAnImage, pixels(11), options)).rejects.toMatchObject({
        code: 'NOT_AN_IMAGE',
      });
      expect(tf.getBackend()).toBe('webgpu');
    }
    await expect(styleTransfer(notAnImage, pixels(11))).rejects.toMatchObject({ code: 'NOT_AN_IMAGE' });
    expect(tf.getBackend()).toBe('wasm');
    extractor.dispose();
  });

  it('stays with a warning where tensors are asked for, and where the adapter is a GPU without one', async () => {
    const warnings: unknown[] = [];
    const load = async () => {
      const extractor = await loadVgg19({ weights: 'embedded', onWarning: (one) => void warnings.push(one) });
      extractor.dispose();
      return extractor.engine;
    };
    expect(await load()).toBe('webgpu');
    expect(warnings).toEqual([
      {
        code: 'SLOW_BACKEND',
        message:
          "The backend 'webgpu' has no GPU here and computes in software, many times more slowly than 'wasm'.",
      },
    ]);
    const { device } = tf.backend() as unknown as { device: GPUDevice };
    vi.spyOn(device, 'adapterInfo', 'get').mockReturnValue({ isFallbackAdapter: false } as GPUAdapterInfo);
    expect(await load()).toBe('webgpu');
    expect(warnings).toHaveLength(1);
  });
});
