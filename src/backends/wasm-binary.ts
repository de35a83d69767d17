import { EnvironmentError } from '../errors';
import { showText, showUrl } from '../options/show';
import { fetchWhole } from '../storage/fetch-file';

/** The name of a binary of tfjs' wasm backend. The last one, with threads, is never loaded. */
export type WasmFile =
  | 'tfjs-backend-wasm-simd.wasm'
  | 'tfjs-backend-wasm.wasm'
  | 'tfjs-backend-wasm-threaded-simd.wasm';

/** Every {@link WasmFile}. */
export const wasmFiles: readonly WasmFile[] = [
  'tfjs-backend-wasm-simd.wasm',
  'tfjs-backend-wasm.wasm',
  'tfjs-backend-wasm-threaded-simd.wasm',
];

/** Places of binaries of tfjs' wasm backend: the address of their folder, or of each file. */
export type WasmPaths = string | URL | Readonly<Partial<Record<WasmFile, string | URL>>>;

/**
 * Versions of `@tensorflow/tfjs-backend-wasm` whose binary for SIMD is the one in this package, to the byte.
 */
const embeddedVersions = /^4\.2[0-2]\./;

/** A binary is 424 KB. */
const mostBytes = 2 ** 24;
const stallTimeoutMs = 30_000;

/** The binary for this platform. */
export interface WasmBinaryRequest {
  readonly paths: WasmPaths | undefined;
  /** Version of the backend. */
  readonly version: string;
  readonly simd: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The binary that tfjs' wasm backend runs: from `paths`, or the one in this package, which needs neither a server nor a
 * bundler that knows of it.
 *
 * @throws EnvironmentError `NO_BACKEND` if it cannot be had
 */
export async function wasmBinary(request: WasmBinaryRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { paths, version, simd, signal } = request;
  const file: WasmFile = simd ? 'tfjs-backend-wasm-simd.wasm' : 'tfjs-backend-wasm.wasm';
  const address = addressOf(file, paths);
  if (address === undefined) {
    if (simd && embeddedVersions.test(version)) return (await import('./tfjs-wasm-simd')).default;
    const why = simd ? `${showText(version)} of the wasm backend` : 'WebAssembly without SIMD';
    throw unreadable(`${file} for ${why} is not part of this package`, file);
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const transport = { fetch: globalThis.fetch.bind(globalThis), stallTimeoutMs, signal };
    bytes = await fetchWhole(address, {}, mostBytes, transport, undefined);
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw unreadable((cause as Error).message.replace(/\.$/, ''), file, cause);
  }
  if (isWasm(bytes)) return bytes;
  throw unreadable(`${showUrl(address)} is not a WebAssembly file, perhaps a page of the server`, file);
}

function addressOf(file: WasmFile, paths: WasmPaths | undefined): string | undefined {
  if (paths === undefined) return undefined;
  if (typeof paths !== 'string' && !(paths instanceof URL)) return paths[file]?.toString();
  const folder = paths.toString();
  return `${folder}${folder.endsWith('/') ? '' : '/'}${file}`;
}

const isWasm = ([a, b, c, d]: Uint8Array) => a === 0 && b === 97 && c === 115 && d === 109;

function unreadable(why: string, file: WasmFile, cause?: unknown): EnvironmentError {
  const accepted = `paths: the folder that ${file} of @tensorflow/tfjs-backend-wasm/wasm-out is served from, or { '${file}': its address }`;
  return new EnvironmentError(
    'NO_BACKEND',
    `The wasm backend has no binary: ${why}; accepted: ${accepted}.`,
    { option: 'paths', value: file, accepted, cause },
  );
}
