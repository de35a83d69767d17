import type { ImageInput } from '../../image/to-image';
import { anyPlatform, type Platform } from '../../platform';
import { startWasm } from './backends';

/** The platform of a worker, where wasm stands in for a backend that does not compute. */
export const workerPlatform: Platform<ImageInput> = { ...anyPlatform, startBackend: startWasm };
