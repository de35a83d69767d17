import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ErrorCode } from '../error-codes';
import { ImageError } from '../errors';
import { showValue } from '../options/show';

/** An encoded image: the path of a file, a `file:`, `http:`, `https:` or `data:` URL, or the bytes themselves (a `Buffer`). */
export type ImageSource = string | URL | Uint8Array;

/** Whether a value is one of the forms of {@link ImageSource}. */
export function isImageSource(input: unknown): input is ImageSource {
  return typeof input === 'string' || input instanceof URL || input instanceof Uint8Array;
}

/** Throws unless `source` is one of the forms of {@link ImageSource}. */
export function requireSource(option: string, source: unknown): asserts source is ImageSource {
  if (isImageSource(source)) return;
  const accepted = 'a path, a URL or a Buffer';
  throw new ImageError('NOT_AN_IMAGE', `${option} is ${showValue(source)}; accepted: ${accepted}.`, {
    option,
    value: source,
    accepted,
  });
}

/**
 * The bytes of an encoded image.
 *
 * @param option the name of the argument, for errors
 * @throws ImageError if there is no such file, it cannot be read, is empty or larger than 512 MiB
 */
export async function sourceBytes(
  option: string,
  source: ImageSource,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  requireSource(option, source);
  const bytes = source instanceof Uint8Array ? source : await readSource(option, source, signal);
  if (bytes.length === 0) throw sourceError('EMPTY', option, source, 'is empty: it has no bytes');
  return bytes;
}

/** What is wrong with a source, in one line that names it: `content 'photo.jpg' is empty`. */
export function sourceError(
  code: ErrorCode,
  option: string,
  source: ImageSource,
  problem: string,
  details: { readonly accepted?: string; readonly cause?: unknown } = {},
): ImageError {
  const name = source instanceof Uint8Array ? option : `${option} ${showValue(String(source))}`;
  const accepted = details.accepted ? `; accepted: ${details.accepted}` : '';
  return new ImageError(code, `${name} ${problem}${accepted}.`, { option, value: source, ...details });
}

const maxBytes = 2 ** 29;

async function readSource(option: string, source: string | URL, signal?: AbortSignal): Promise<Uint8Array> {
  const url = source instanceof URL ? source : urlIn(source);
  try {
    if (url && url.protocol !== 'file:') return await download(option, url, signal);
    return await readLocal(option, url ? fileURLToPath(url) : String(source), signal);
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    signal?.throwIfAborted();
    const { code, message } = cause as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    const reason = missing
      ? 'does not exist'
      : code === 'EACCES' || code === 'EPERM'
        ? 'cannot be read: permission is denied'
        : `cannot be read: ${message}`;
    throw sourceError(missing ? 'FILE_NOT_FOUND' : 'READ_FAILED', option, source, reason, { cause });
  }
}

/** A Windows path such as `C:\photo.jpg` is no URL. */
function urlIn(source: string): URL | undefined {
  return /^(file|https?|data):/i.test(source) && URL.canParse(source) ? new URL(source) : undefined;
}

async function readLocal(option: string, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const stats = await stat(path);
  if (stats.isDirectory())
    throw sourceError('NOT_A_FILE', option, path, 'is a folder', { accepted: 'an image file' });
  requireLength(option, path, stats.size);
  return readFile(path, { signal });
}

async function download(option: string, url: URL, signal?: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { signal: signal ?? null });
  if (!response.ok) {
    const status = `${response.status} ${response.statusText}`.trim();
    throw sourceError('READ_FAILED', option, url, `cannot be fetched: the server answered ${status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // The types are a page's; Node's streams are iterable.
  for await (const chunk of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    requireLength(option, url, length);
  }
  return Buffer.concat(chunks);
}

function requireLength(option: string, source: ImageSource, length: number): void {
  if (length <= maxBytes) return;
  const accepted = `at most ${maxBytes} bytes`;
  throw sourceError('TOO_LARGE', option, source, `has ${length} bytes or more`, { accepted });
}
