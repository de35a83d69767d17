import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type StyleTransferOptions, styleTransfer, type UseWasmOptions, useWasm } from '../../src';

/** What a call came to: the active backend, or the error's code and message. */
async function outcome(work: () => Promise<object | undefined>) {
  try {
    const found = await work();
    const [sum] = await tf.sum(tf.ones([6])).data();
    return { ...found, backend: tf.getBackend(), sum };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { code, message, backend: tf.getBackend() };
  }
}

export const start = (options?: UseWasmOptions) =>
  outcome(async () => {
    await useWasm(options);
    return undefined;
  });

export const setBackend = (name: string) => tf.setBackend(name);

/** {@link start} in a Web Worker that runs this program. */
export const startInWorker = async (url: string) => {
  const worker = new Worker(url, { type: 'module' });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  } finally {
    worker.terminate();
  }
};
if (typeof document === 'undefined') void start().then((found) => self.postMessage(found));

/** Engine and threads of a small run, with its warnings. */
export const paint = (options: StyleTransferOptions = {}) =>
  outcome(async () => {
    const warnings: { code: string; message: string }[] = [];
    const { engine, threads, loss, dispose } = await styleTransfer(pixels, pixels, {
      weights: 'embedded',
      iterations: 1,
      ...options,
      onProgress: (event) => {
        if (event.type === 'warning') warnings.push({ code: event.code, message: event.message });
      },
    });
    dispose();
    return { engine, threads, finite: Number.isFinite(loss), warnings };
  });

const pixels = { data: new Uint8Array(20 * 16 * 3).fill(99), width: 20, height: 16, channels: 3 } as const;
