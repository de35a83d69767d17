import { constants, createReadStream, open } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ErrorCode } from '../error-codes';
import { ImageError } from '../errors';
import { classNameOf } from '../image/class-name';
import { showText, showUrl, showValue } from '../options/show';
import { untilAborted } from '../until-aborted';

/**
 * An encoded image: the path of a file or named pipe, a `file:`, `http:`, `https:` or `data:` URL, or the bytes
 * themselves (a `Buffer`, a `Blob` or a `File`).
 */
export type ImageSource = string | URL | Uint8Array | Blob;

/** Whether a value is an {@link ImageSource}, also of another realm. */
export function isImageSource(input: unknown): input is ImageSource {
  return typeof input === 'string' || ['URL', 'Uint8Array', 'Blob', 'File'].includes(classNameOf(input));
}

/** Throws unless `source` is an {@link ImageSource}. */
export function requireSource(option: string, source: unknown): asserts source is ImageSource {
  if (isImageSource(source)) return;
  const accepted = 'a path, a URL, a Buffer or a Blob';
  throw new ImageError('NOT_AN_IMAGE', `${option} is ${showValue(source)}; accepted: ${accepted}.`, {
    option,
    value: source,
    accepted,
  });
}

/**
 * Largest picture in bytes, longest silence of a server and longest download in milliseconds.
 */
const limits = { bytes: 2 ** 29, stallMs: 60_000, totalMs: 600_000 } as const;

/**
 * Reads the bytes of an encoded image. The limit applies to the bytes actually read, not to the stated size, and an
 * abort ends any wait: for a disk, for the writer of a named pipe, for a server.
 *
 * @param option the name of the argument, for errors
 * @throws ImageError if the file does not exist, cannot be read, is empty or larger than 512 MiB, or a server takes
 *   too long
 */
export async function sourceBytes(
  option: string,
  source: ImageSource,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  requireSource(option, source);
  signal?.throwIfAborted();
  const bytes = await readSource(option, source, signal);
  if (bytes.length === 0) throw sourceError('EMPTY', option, source, 'is empty: it has no bytes');
  return bytes;
}

/** The error for a source, with a message that names it: `content 'photo.jpg' is empty`. */
export function sourceError(
  code: ErrorCode,
  option: string,
  source: ImageSource,
  problem: string,
  details: { readonly accepted?: string; readonly cause?: unknown } = {},
): ImageError {
  const url = typeof source === 'string' ? urlIn(source) : source instanceof URL ? source : undefined;
  const name = url ? `'${showUrl(url)}'` : typeof source === 'string' ? showValue(source) : '';
  const accepted = details.accepted ? `; accepted: ${details.accepted}` : '';
  return new ImageError(code, `${option} ${name && `${name} `}${problem}${accepted}.`, {
    option,
    value: source,
    ...details,
  });
}

async function readSource(option: string, source: ImageSource, signal?: AbortSignal): Promise<Uint8Array> {
  if (typeof source !== 'string' && classNameOf(source) === 'Uint8Array')
    return ownBytes(source as Uint8Array);
  try {
    if (typeof source !== 'string' && classNameOf(source) !== 'URL')
      return await readBlob(option, source as Blob, signal);
    const url = typeof source === 'string' ? urlIn(source) : new URL(String(source));
    if (url && url.protocol !== 'file:') return await download(option, url, signal);
    return await readLocal(option, url ? fileURLToPath(url) : String(source), signal);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof ImageError) throw cause;
    const { code, message, cause: below } = cause as NodeJS.ErrnoException & { readonly cause?: unknown };
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    const reason = missing
      ? 'does not exist'
      : code === 'EACCES' || code === 'EPERM'
        ? 'cannot be read: permission is denied'
        : `cannot be read: ${showText(below instanceof Error ? `${message} (${below.message})` : message, 160)}`;
    throw sourceError(missing ? 'FILE_NOT_FOUND' : 'READ_FAILED', option, source, reason, { cause });
  }
}

/** The bytes as an array of this realm, which sharp requires. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes);
}

/** The URL in a text, if it is one; a Windows path such as `C:\photo.jpg` is not. */
function urlIn(source: string): URL | undefined {
  return /^(file|https?|data):/i.test(source) && URL.canParse(source) ? new URL(source) : undefined;
}

async function readBlob(option: string, blob: Blob, signal?: AbortSignal): Promise<Uint8Array> {
  requireLength(option, blob, blob.size);
  return new Uint8Array(await untilAborted(signal, blob.arrayBuffer()));
}

async function readLocal(option: string, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const stats = await untilAborted(signal, stat(path));
  const refuse = (what: string) =>
    sourceError('NOT_A_FILE', option, path, `is ${what}`, {
      accepted: 'an image file, or a pipe that holds one',
    });
  if (stats.isDirectory()) throw refuse('a folder');
  if (stats.isFIFO()) return untilAborted(signal, collect(option, path, await openPipe(path, signal)));
  if (!stats.isFile()) throw refuse('a device or a socket, not a regular file');
  requireLength(option, path, stats.size);
  // Non-blocking: the path may have become a pipe meanwhile, and a thread that waits for its writer would keep the
  // program from ending.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  // The types do not declare numeric flags.
  const options = { flags, highWaterMark: 2 ** 20, signal } as unknown as Parameters<
    typeof createReadStream
  >[1];
  return untilAborted(signal, collect(option, path, createReadStream(path, options)));
}

/** Opens a named pipe. The event loop waits for its writer, which an abort can end, unlike the wait of a thread. */
async function openPipe(path: string, signal?: AbortSignal): Promise<Socket> {
  const fd = await promisify(open)(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const pipe = new Socket({ fd, readable: true, writable: false });
  if (signal) addAbortSignal(signal, pipe);
  return pipe;
}

async function download(option: string, url: URL, signal?: AbortSignal): Promise<Uint8Array> {
  const controller = new AbortController();
  const stop = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  const giveUp = (problem: string) =>
    controller.abort(sourceError('READ_FAILED', option, url, `cannot be fetched: ${problem}`));
  const total = setTimeout(() => giveUp(`it takes longer than ${limits.totalMs / 1000} s`), limits.totalMs);
  let stall: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(stall);
    stall = setTimeout(() => giveUp(`the server is silent for ${limits.stallMs / 1000} s`), limits.stallMs);
  };
  try {
    heard();
    const response = await fetch(...requestOf(url, controller.signal));
    if (!response.ok) {
      const status = showText(`${response.status} ${response.statusText}`.trim());
      throw sourceError('READ_FAILED', option, url, `cannot be fetched: the server answered ${status}`);
    }
    // The types are those of pages; in Node, streams are iterable.
    const body = (response.body ?? []) as unknown as AsyncIterable<Uint8Array>;
    return await untilAborted(controller.signal, collect(option, url, body, heard));
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    throw error;
  } finally {
    clearTimeout(stall);
    clearTimeout(total);
    signal?.removeEventListener('abort', stop);
    // Closes the connection if the answer was not read to its end.
    controller.abort();
  }
}

/** The arguments for `fetch`, which refuses URLs with user and password: these go into a header. */
function requestOf(url: URL, signal: AbortSignal): Parameters<typeof fetch> {
  const bare = new URL(url);
  [bare.username, bare.password] = ['', ''];
  if (bare.href === url.href) return [url, { signal }];
  const user = decodeURIComponent(`${url.username}:${url.password}`);
  return [bare, { signal, headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } }];
}

/** Reads a stream to its end; throws if it exceeds the limit. */
async function collect(
  option: string,
  source: ImageSource,
  stream: AsyncIterable<Uint8Array>,
  onChunk?: () => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    onChunk?.();
    chunks.push(chunk);
    length += chunk.length;
    requireLength(option, source, length);
  }
  return Buffer.concat(chunks);
}

function requireLength(option: string, source: ImageSource, length: number): void {
  if (length <= limits.bytes) return;
  const accepted = `at most ${limits.bytes} bytes`;
  throw sourceError('TOO_LARGE', option, source, `has ${length} bytes or more`, { accepted });
}
