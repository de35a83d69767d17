import * as tf from '@tensorflow/tfjs-core';
import { ComputationError } from '../errors';
import { showText } from '../options/show';
import { gpuBackend, type WebGpuDevice } from './gpu';

/** Whether the active backend computes on a device that can be lost, with everything in its memory. */
export const canBeLost = (): boolean => {
  const { gpgpu, device } = gpuBackend();
  return gpgpu?.gl !== undefined || device !== undefined;
};

/** Throws `DEVICE_LOST` if the active backend's WebGL context or WebGPU device is lost. */
export function requireDevice(): void {
  const { gpgpu, device } = gpuBackend();
  if (device) observe(device);
  if (gpgpu?.gl?.isContextLost() || (device && lostDevices.has(device))) throw deviceLost();
}

/** Whether a failure was the loss of the device, of which the news arrives after failures of operations. */
export async function isDeviceLost(): Promise<boolean> {
  if (!canBeLost()) return false;
  await new Promise((resolve) => setTimeout(resolve, 0));
  try {
    requireDevice();
    return false;
  } catch {
    return true;
  }
}

/**
 * What `work` gives, or `DEVICE_LOST` as soon as the active backend's WebGL context or WebGPU device is lost, however
 * `work` goes on: tfjs would wait for ever for a lost context's answer, or fail with an error that does not say why.
 *
 * @param onLost called before the rejection, to end the work
 */
export async function whileDeviceLasts<T>(
  work: () => Promise<T>,
  onLost: (error: ComputationError) => void = () => undefined,
): Promise<T> {
  if (!canBeLost()) return work();
  requireDevice();
  let stop = () => {};
  const loss = new Promise<never>((_, reject) => {
    stop = whenLost(() => {
      const error = deviceLost();
      onLost(error);
      reject(error);
    });
  });
  try {
    return await Promise.race([loss, work()]);
  } catch (cause) {
    if (await isDeviceLost()) requireDevice();
    throw cause;
  } finally {
    stop();
  }
}

/** Calls `listener` once the active backend's device is lost. @returns a function that ends that */
function whenLost(listener: () => void): () => void {
  const { gpgpu, device } = gpuBackend();
  const canvas = gpgpu?.gl?.canvas;
  canvas?.addEventListener('webglcontextlost', listener);
  if (device) observe(device).add(listener);
  return () => {
    canvas?.removeEventListener('webglcontextlost', listener);
    if (device) observe(device).delete(listener);
  };
}

const lostDevices = new WeakSet<WebGpuDevice>();
/** Who hears of the loss of a device: its promise cannot be left again. */
const observed = new WeakMap<WebGpuDevice, Set<() => void>>();

function observe(device: WebGpuDevice): Set<() => void> {
  const known = observed.get(device);
  if (known) return known;
  const listeners = new Set<() => void>();
  observed.set(device, listeners);
  void device.lost.then(() => {
    lostDevices.add(device);
    for (const listener of listeners) listener();
  });
  return listeners;
}

function deviceLost(): ComputationError {
  const backend = tf.getBackend();
  const what = backend === 'webgpu' ? 'WebGPU device' : 'WebGL context';
  const accepted = 'the page loaded again, a smaller size, or another backend, as by useWasm()';
  return new ComputationError(
    'DEVICE_LOST',
    `The ${what} of the backend ${showText(backend)} is lost, and with it everything in the memory of the GPU: another program, the system or too little memory has ended it; accepted: ${accepted}.`,
    { option: 'backend', value: backend, accepted },
  );
}
