import { type StartOwnWorker, workerName } from './launch';

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

/** Starts the program in this package from a blob. */
export const startProgram: StartOwnWorker = async (backend) => {
  // In this order. Runs that leave the engine to the library go on by wasm where WebGPU is software.
  const behind = backend === 'webgpu' && (await hasSoftwareGpu()) ? [texts.wasm()] : [];
  const parts = await Promise.all([texts.core(), texts[backend](), ...behind, texts.main()]);
  const blob = new Blob(
    parts.map((part) => part.default),
    { type: 'text/javascript' },
  );
  const url = URL.createObjectURL(blob);
  const answered = () => URL.revokeObjectURL(url);
  try {
    return [new Worker(url, { name: workerName }), answered];
  } catch (error) {
    answered();
    throw error;
  }
};

/** Whether the page's WebGPU has no GPU and computes in software. */
async function hasSoftwareGpu(): Promise<boolean> {
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<Adapter | null> } };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter?.info?.isFallbackAdapter === true;
}

/** The part of a `GPUAdapter` that is read here. */
interface Adapter {
  readonly info?: { readonly isFallbackAdapter?: boolean };
}
