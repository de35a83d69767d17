import type { WorkerBackend } from './options';

/**
 * The parts of a worker's program, as texts: each is a chunk of its own, loaded when a worker starts, so that bundlers
 * need to know nothing of workers, and only the chosen backend is loaded.
 */
const texts = {
  core: () => import('./program/core.ts?bundle'),
  main: () => import('./program/main.ts?bundle'),
  wasm: () => import('./program/backend-wasm.ts?bundle'),
  cpu: () => import('./program/backend-cpu.ts?bundle'),
  webgl: () => import('./program/backend-webgl.ts?bundle'),
  webgpu: () => import('./program/backend-webgpu.ts?bundle'),
};

/** The scripts of a worker with a backend, to be run in this order. */
export async function programOf(backend: WorkerBackend): Promise<readonly string[]> {
  const parts = await Promise.all([texts.core(), texts[backend](), texts.main()]);
  return parts.map((part) => part.default);
}
