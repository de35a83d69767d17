import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from './errors';

/** The part of tfjs' wasm backend that allocates. */
interface WasmBackend {
  readonly wasm: { _malloc(bytes: number): number; _free(address: number): void } | null;
}

/**
 * The largest piece requested. The allocator sees only the lower 32 bits of a size, and just below 2^32 its sum of
 * address and length wraps around, so that it returns memory that it does not have.
 */
const mostBytes = 2 ** 32 - 2 ** 24;

/** Modules whose allocations are checked. */
const checked = new WeakSet<object>();

/**
 * Makes allocations of the active backend throw when its memory is exhausted. tfjs-wasm does not check the result of
 * its allocator: a tensor without memory would lie at address 0 and overwrite others, and later calls would return
 * wrong numbers, trap or never return. Other backends check theirs. Further calls cost nothing; call it wherever
 * tensors of an image's size are made.
 */
export function checkAllocations(): void {
  const { wasm } = activeWasm();
  if (!wasm || checked.has(wasm)) return;
  checked.add(wasm);
  // Emscripten's stubs replace themselves in the first call, and would replace what is put here as well.
  wasm._free(wasm._malloc(8));
  const allocate = wasm._malloc;
  wasm._malloc = (bytes) => {
    const address = bytes <= mostBytes ? allocate(bytes) : 0;
    if (address === 0 && bytes > 0) throw outOfMemory(bytes);
    return address;
  };
}

/**
 * Throws unless the active backend can allocate `bytes` in one piece. Called before operations of tfjs-wasm that
 * allocate internally, because on failure they report nothing and return zeros. Does nothing on other backends.
 */
export function requireMemory(bytes: number): void {
  checkAllocations();
  const { wasm } = activeWasm();
  if (wasm) wasm._free(wasm._malloc(bytes));
}

/**
 * Bytes of tensors that the active backend can still hold, about; infinite where it sets no limit that is known. The
 * heap of tfjs-wasm ends at 4 GiB, a tenth of which is left for packed filters and for gaps between tensors.
 */
export function allocatableBytes(): number {
  return activeWasm().wasm ? 0.9 * mostBytes - tf.memory().numBytes : Number.POSITIVE_INFINITY;
}

function activeWasm(): WasmBackend {
  // Without a backend, `tf.backend()` would start one.
  const backend: Partial<WasmBackend> = tf.getBackend() ? (tf.backend() as object) : {};
  return { wasm: typeof backend.wasm?._malloc === 'function' ? backend.wasm : null };
}

function outOfMemory(bytes: number): EnvironmentError {
  const mebibytes = Math.ceil(bytes / 2 ** 20);
  const accepted = 'a smaller image size or fewer layers';
  return new EnvironmentError(
    'OUT_OF_MEMORY',
    `The ${tf.getBackend()} backend of TensorFlow.js has no memory left for ${mebibytes} MiB more; accepted: ${accepted}.`,
    { option: 'size', value: bytes, accepted },
  );
}
