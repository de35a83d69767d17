import * as tf from '@tensorflow/tfjs-core';
import { compileWasm } from '../compile-wasm';
import { abortSignal, any, type Option, optionTable } from '../options/table';
import { requireKnownOptions } from '../options/validate';
import { supportsSimd } from '../wasm-simd';
import { activateWasm, importWasmBackend, notStarted, type WasmBackend } from './wasm-backend';
import { type WasmPaths, wasmBinary, wasmFiles } from './wasm-binary';

/** Options of {@link useWasm}. */
export interface UseWasmOptions {
  /**
   * Where the files of `@tensorflow/tfjs-backend-wasm/wasm-out` are served: the address of their folder, or a record of
   * file names and addresses. Only the one for this browser is fetched, as a rule `tfjs-backend-wasm-simd.wasm`.
   * @default the file in this package, a chunk of 570 kB that only this call loads
   */
  readonly paths?: WasmPaths | undefined;
  readonly signal?: AbortSignal | undefined;
}

const isAddress = (value: unknown) => typeof value === 'string' || value instanceof URL;

const address = any<WasmPaths>(
  'the address of a folder, or a record of file names and addresses',
  (value) =>
    isAddress(value) ||
    (typeof value === 'object' && value !== null && Object.values(value).every(isAddress)),
);

const useWasmOptions = optionTable<UseWasmOptions>()('useWasm', {
  paths: {
    ...address,
    require(name: string, value: unknown) {
      address.require(name, value);
      if (!isAddress(value)) requireKnownOptions(name, value as object, wasmFiles);
    },
  } satisfies Option<WasmPaths>,
  signal: abortSignal(),
});

/**
 * Makes `wasm` the active backend of TensorFlow.js in a page or a Web Worker, with one call that works alike with every
 * bundler and without one: it loads the package `@tensorflow/tfjs-backend-wasm`, gives it its binary, and keeps it from
 * starting threads of its own, which never answer in bundled pages. The kernels of this library, which compute the
 * network on this backend, have threads of their own. In Node, use `useWasm` of `tfjs-style-transfer/node`.
 *
 * @param options see {@link UseWasmOptions}
 * @throws InvalidArgumentError if an option is unknown or not accepted
 * @throws EnvironmentError `NO_BACKEND` if `@tensorflow/tfjs-backend-wasm` is not installed, its binary cannot be
 * fetched or it does not start, `NO_WASM` if the page may not compile WebAssembly; the backend that was active stays
 * @example
 * ```ts
 * await useWasm();
 * ```
 */
export async function useWasm(options: UseWasmOptions = {}): Promise<void> {
  const { paths, signal } = useWasmOptions.read(options);
  signal?.throwIfAborted();
  const wasm = await importWasmBackend();
  const { registry } = tf.engine();
  if (registry.wasm) return activateWasm(remedies);
  const simd = supportsSimd();
  const bytes = await wasmBinary({ paths, version: wasm.version_wasm, simd, signal });
  // Where this is forbidden, tfjs would wait for ever.
  await compileWasm(bytes, {
    option: 'backend',
    value: 'wasm',
    accepted: "a policy of the page that has 'wasm-unsafe-eval', or another backend",
  });
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await withBinary(wasm, bytes, () => activateWasm(remedies));
}

const remedies = 'another backend, or useWasm() before any other start of the wasm backend';

/** Runs `start` while the backend reads `bytes` as its binary, whatever address it would fetch. */
async function withBinary(
  wasm: WasmBackend,
  bytes: Uint8Array<ArrayBuffer>,
  start: () => Promise<void>,
): Promise<void> {
  const address = 'tfjs-style-transfer:wasm';
  try {
    wasm.setWasmPaths(Object.fromEntries(wasmFiles.map((file) => [file, address])), true);
  } catch (cause) {
    // It refuses once a start has failed.
    throw notStarted(remedies, cause);
  }
  const { platform } = tf.env();
  const fetch = platform.fetch;
  platform.fetch = async (path, init) =>
    path === address ? new Response(bytes) : fetch.call(platform, path, init);
  try {
    await start();
  } finally {
    platform.fetch = fetch;
  }
}
