import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort } from 'node:worker_threads';

// `node --import ./scripts/binary-hooks.mjs`: lets scripts import .bin and .wasm files as bytes, as the build does
// (scripts/binary-modules.ts). Node runs hooks on a thread of their own, without a port, which loads this module too.
if (isMainThread || parentPort) register(import.meta.url);
// `--import tsx` registers itself in the main thread only.
if (!isMainThread && parentPort) (await import('tsx/esm/api')).register();

export async function load(url, context, next) {
  if (!/\.(bin|wasm)$/.test(url)) return next(url, context);
  const base64 = (await readFile(fileURLToPath(url))).toString('base64');
  const source = `export default Uint8Array.from(atob('${base64}'), (c) => c.charCodeAt(0));`;
  return { format: 'module', source, shortCircuit: true };
}
