/// <reference types="@webgpu/types" />
import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../errors';
import { oneOf, optionTable } from '../options/table';
import { loadOptional } from './load-optional';

/** Options of {@link useWebgpu}. */
export interface UseWebgpuOptions {
  /**
   * Which GPU to prefer, where there are several.
   * @default 'high-performance'
   */
  readonly powerPreference?: 'high-performance' | 'low-power' | undefined;
}

const useWebgpuOptions = optionTable<UseWebgpuOptions>()('useWebgpu', {
  powerPreference: oneOf(['high-performance', 'low-power'] as const, { default: 'high-performance' }),
});

/**
 * Makes `webgpu` the active backend of TensorFlow.js in Node, through the optional packages `webgpu` (Dawn, at least
 * 0.6.2) and `@tensorflow/tfjs-backend-webgpu`. This library's engine webgpu computes on its device.
 *
 * Sets `navigator.gpu`, as pages have it, and WebGPU's constants (`GPUBufferUsage`, ...), which tfjs reads. In worker
 * threads the environment variable `VK_ICD_FILENAMES`, which names a driver, has to be set before the process starts:
 * native code does not see a thread's own variables.
 *
 * After the loss of a device (`DEVICE_LOST`) another call takes a new one; tensors on the old one are lost.
 *
 * @throws InvalidArgumentError if an option is unknown
 * @throws EnvironmentError `NO_PACKAGE` if a package is not installed or does not load, `NO_BACKEND` if there is no GPU
 *   or driver that WebGPU can use
 * @example
 * ```ts
 * await useWebgpu();
 * const { image } = await styleTransfer('photo.jpg', 'painting.jpg', 1, 1e6, { engine: 'webgpu' });
 * ```
 */
export async function useWebgpu(options: UseWebgpuOptions = {}): Promise<void> {
  const { powerPreference } = useWebgpuOptions.read(options);
  const running = tf.engine().registry.webgpu as Partial<WebGpuBackend> | undefined;
  if (running && !(await isLost(running.device))) {
    await tf.setBackend('webgpu');
    return;
  }
  const gpu = navigatorGpu() ?? (await dawn());
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (!adapter) throw noAdapter();
  const device = await adapter.requestDevice(highestLimits(adapter));
  const { WebGPUBackend } = await loadOptional(
    () => import('@tensorflow/tfjs-backend-webgpu'),
    'The backend webgpu',
    ['@tensorflow/tfjs-backend-webgpu'],
  );
  // tfjs registers one of its own where it finds a GPU, whose device has lower limits; or there is one that is lost.
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info), 3);
  if (!(await tf.setBackend('webgpu'))) throw noAdapter();
}

/** The part of tfjs' backend that is read here. */
interface WebGpuBackend {
  readonly device: GPUDevice;
}

/** Whether a device is lost, which its promise alone tells. */
const isLost = (device: GPUDevice | undefined): Promise<boolean> =>
  Promise.race([
    device?.lost.then(() => true) ?? Promise.resolve(false),
    new Promise<boolean>((resolve) => setTimeout(resolve, 0, false)),
  ]);

/** The limits and features of an adapter that large images and measurements need, as much as there is. */
function highestLimits({ limits, features }: GPUAdapter): GPUDeviceDescriptor {
  const names = [
    'maxBufferSize',
    'maxStorageBufferBindingSize',
    'maxComputeWorkgroupStorageSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupsPerDimension',
  ] as const;
  const wanted: readonly GPUFeatureName[] = ['timestamp-query', 'shader-f16'];
  return {
    requiredLimits: Object.fromEntries(names.map((name) => [name, limits[name]])),
    requiredFeatures: wanted.filter((feature) => features.has(feature)),
  };
}

const navigatorGpu = (): GPU | undefined => (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;

/** Kept for ever: the process dies if Dawn's object is collected while a device of it lives. */
let instance: GPU | undefined;

async function dawn(): Promise<GPU> {
  const { create, globals } = await loadOptional(() => import('webgpu'), 'WebGPU in Node', ['webgpu']);
  instance ??= create([]);
  for (const [name, value] of Object.entries(globals))
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
  const { navigator } = globalThis as { navigator?: object };
  // Node has had a navigator of its own since version 21.
  if (navigator) Object.defineProperty(navigator, 'gpu', { value: instance, configurable: true });
  else
    Object.defineProperty(globalThis, 'navigator', {
      value: { gpu: instance, userAgent: 'node' },
      configurable: true,
      writable: true,
    });
  return instance;
}

function noAdapter(): EnvironmentError {
  const accepted = 'a GPU with a Vulkan, Metal or Direct3D 12 driver, or useWasm()';
  return new EnvironmentError('NO_BACKEND', `WebGPU finds no GPU here; accepted: ${accepted}.`, {
    option: 'backend',
    value: 'webgpu',
    accepted,
  });
}
