import { tfjs } from './tfjs/tfjs-engine';
import { wasm } from './wasm/wasm-engine';
import { webgpu } from './webgpu/webgpu-engine';

/**
 * Every engine of the library by name, in the order of preference of `'auto'`, which chooses the first that runs here
 * and suits the backend.
 */
export const engineMakers = { wasm, webgpu, tfjs } as const;

/** The name of an engine of the library. */
export type EngineName = keyof typeof engineMakers;

/** Every {@link EngineName}. */
export const engineNames = Object.keys(engineMakers) as readonly EngineName[];
