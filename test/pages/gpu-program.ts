import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { type StyleTransferOptions, styleTransfer, toImageData, useWasm } from '../../src';
import { styleLoss } from '../../src/losses';

const pixels = (size: number, seed: number) => ({
  data: Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * seed) % 256),
  width: size,
  height: size,
  channels: 3 as const,
});

export const setBackend = (name: string) => tf.setBackend(name).catch(() => false);
export const setFlag = (name: string, value: number | boolean) => tf.env().set(name, value);

/** Ends the WebGL context or the WebGPU device of the active backend. */
export function loseDevice(): void {
  const { gpgpu, device } = tf.backend() as {
    gpgpu?: { gl: WebGLRenderingContext };
    device?: { destroy(): void };
  };
  gpgpu?.gl.getExtension('WEBGL_lose_context')?.loseContext();
  device?.destroy();
}

/** Starts tfjs' backend webgpu again, with a new device, as docs/webgpu.md has it. */
export async function renewDevice(): Promise<void> {
  const start = tf.findBackendFactory('webgpu');
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', start, 3);
  await tf.setBackend('webgpu');
}

/** A run; `loseAt`: the iteration at whose event the device is lost. */
export async function paint(size: number, options: StyleTransferOptions = {}, loseAt?: number) {
  const events: unknown[] = [];
  let last: ImageData | undefined;
  try {
    const { engine, backend, loss, dispose } = await styleTransfer(pixels(size, 7), pixels(size, 11), {
      weights: 'embedded',
      iterations: 2,
      // One layer, because software compiles the kernels of a convolution for seconds.
      ...(options.engine === 'webgpu' && {
        loss: ({ extractor, style }) => styleLoss(extractor.extract(style, ['conv1_1'])),
      }),
      ...options,
      onProgress: async (event) => {
        if (event.type === 'warning')
          events.push({ type: event.type, code: event.code, message: event.message });
        if (event.type === 'start') events.push({ type: event.type, tiles: event.plan.tiles });
        if (event.type === 'step' && event.iteration === loseAt) loseDevice();
        if (event.type !== 'interrupted') return;
        last = await toImageData(event.image());
        events.push({
          type: event.type,
          loss: event.loss,
          mean: last.data.reduce((a, b) => a + b) / last.data.length,
        });
      },
    });
    dispose();
    return { engine, backend, finite: Number.isFinite(loss), events };
  } catch (error) {
    const { code, message, name } = error as Error & { code?: string };
    return { name, code, message, events };
  }
}

/** Goes on by the wasm backend. */
export async function goOn() {
  await useWasm();
  return paint(16);
}
