import { useWasm } from '../backends/use-wasm';
import { registerBackend } from '../worker/program/backends';
import { serveScope } from '../worker/program/serve-scope';

/** What the worker calls that runs this file. */
export function serveStyleWorker(): void {
  registerBackend('wasm', (paths) => useWasm({ paths }));
  serveScope();
}
