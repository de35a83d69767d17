import { WeightsError } from '../errors';
import { showText, showUrl } from '../options/show';
import { untilAborted } from '../until-aborted';
import type { ByteRange, Bytes } from './byte-store';
import { PassingFailure, retryAfterMs } from './retry';

/** Connection settings of a {@link Download}. */
export interface Transport {
  readonly fetch: typeof fetch;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A server's response: all of a file, or the requested part. */
export interface Download {
  /** Whether the body is the requested part, not the file from its start. */
  readonly partial: boolean;
  /** Bytes of the whole file, if the server states them. */
  readonly total: number | undefined;
  /**
   * A strong validator of the file's bytes (RFC 9110, 8.8): a strong ETag, or a Last-Modified at least a second older
   * than the response; undefined if the server sends neither. Versions of responses are compared instead of sending
   * If-Range, for which a browser would first need permission from a server of another origin.
   */
  readonly version: string | undefined;
  /** The body in pieces. */
  readonly chunks: AsyncIterable<Bytes>;
}

/**
 * Requests a file and gives the response to `receive`; when that has settled, the connection is closed. Throws a
 * `PassingFailure` if another attempt may help, else a `WeightsError`: `WRONG_SIZE` if the file ends before the range.
 *
 * @param range undefined for the whole file
 */
export async function download<T>(
  url: string,
  range: ByteRange | undefined,
  transport: Transport,
  receive: (download: Download) => Promise<T>,
): Promise<T> {
  const headers: HeadersInit = range
    ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
    : {};
  const controller = new AbortController();
  const wait = <R>(step: () => Promise<R>) => watched(step, url, transport, controller);
  try {
    const response = await wait(() => transport.fetch(url, { headers, signal: controller.signal }));
    if (!response.ok) throw failedResponse(response, url, range);
    if (response.status === 206) requireRange(response, url, range);
    return await receive({
      ...sizeOf(response),
      version: versionOf(response),
      chunks: chunksOf(response, wait),
    });
  } finally {
    controller.abort();
  }
}

async function* chunksOf(
  { body }: Response,
  wait: <R>(step: () => Promise<R>) => Promise<R>,
): AsyncGenerator<Bytes> {
  const reader = body?.getReader();
  for (;;) {
    const chunk = await wait(async () => reader?.read());
    if (!chunk || chunk.done) return;
    yield chunk.value;
  }
}

/** The error for a file of another size than it should have. */
export function wrongSize(url: string, found: number, accepted: string): WeightsError {
  return new WeightsError('WRONG_SIZE', `${showUrl(url)} has ${found} bytes; expected ${accepted}.`, {
    option: 'weights',
    value: found,
    accepted,
  });
}

/** Waits for one step of a download, until the time limit or the signal's abort. */
async function watched<T>(
  step: () => Promise<T>,
  url: string,
  { stallTimeoutMs, signal }: Transport,
  controller: AbortController,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  let stalled = false;
  const timer = setTimeout(() => {
    stalled = true;
    controller.abort();
  }, stallTimeoutMs);
  try {
    // A custom `fetch` may ignore its signal.
    return await untilAborted(controller.signal, step());
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (stalled) throw new PassingFailure(`${showUrl(url)} sends nothing more`);
    throw failedConnection(error, url);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

function sizeOf({ headers, status }: Response): Pick<Download, 'partial' | 'total'> {
  const encoded = !['', 'identity'].includes(headers.get('content-encoding') ?? '');
  if (status === 206)
    return { partial: !encoded, total: numberOf(headers.get('content-range')?.match(/\/(\d+)$/)?.[1]) };
  return { partial: false, total: encoded ? undefined : numberOf(headers.get('content-length')) };
}

function versionOf({ headers }: Response): string | undefined {
  const etag = headers.get('etag');
  if (etag?.startsWith('"')) return etag;
  const modified = headers.get('last-modified');
  const age = Date.parse(headers.get('date') ?? '') - Date.parse(modified ?? '');
  return modified === null || age < 1000 ? undefined : modified;
}

/** Throws if the headers of a response 206 show another range than the requested one. */
function requireRange({ headers }: Response, url: string, range: ByteRange | undefined): void {
  const [, from] = headers.get('content-range')?.match(/^bytes (\d+)-/) ?? [];
  const length = numberOf(headers.get('content-length'));
  const { offset, length: wanted } = range ?? { offset: 0, length: undefined };
  // Pages can read Content-Range of another origin only if the server permits it, but always the length.
  if (from === undefined ? range && (length ?? wanted) === wanted : Number(from) === offset) return;
  const found = from === undefined ? `${length} bytes` : `byte ${Number(from)}`;
  const message = `${showUrl(url)} answered a request for byte ${offset} with ${found}.`;
  throw new WeightsError('DOWNLOAD_FAILED', message, {
    option: 'weights',
    value: found,
    accepted: `${offset}`,
  });
}

const passingStatus = [408, 425, 429, 500, 502, 503, 504];

function failedResponse({ status, statusText, headers }: Response, url: string, range?: ByteRange): Error {
  if (status === 416 && range) {
    const total = headers.get('content-range')?.match(/\*\/(\d+)$/)?.[1];
    return wrongSize(url, Number(total ?? 0), `more than ${range.offset} bytes`);
  }
  const answer = `${showUrl(url)} answered ${status}${statusText ? ` ${showText(statusText)}` : ''}`;
  if (passingStatus.includes(status))
    return new PassingFailure(answer, { delayMs: retryAfterMs(headers.get('retry-after')) });
  return new WeightsError('DOWNLOAD_FAILED', `${answer}.`, { option: 'weights', value: showUrl(url) });
}

/** Causes for which another attempt is useless: names that do not exist and servers that refuse. */
const lastingFailures: readonly unknown[] = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
];

function failedConnection(error: unknown, url: string): Error {
  // The message of fetch() is 'fetch failed'; its cause has the reason.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = showText(cause instanceof Error ? cause.message : String(cause));
  const message = `The connection to ${showUrl(url)} failed (${reason})`;
  const offline = globalThis.navigator?.onLine === false;
  if (!offline && !lastingFailures.includes((cause as { code?: unknown } | null)?.code))
    return new PassingFailure(message, { cause: error });
  return new WeightsError('DOWNLOAD_FAILED', `${message}.`, {
    option: 'weights',
    value: showUrl(url),
    cause: error,
  });
}

const numberOf = (text: string | null | undefined): number | undefined =>
  text && /^\d+$/.test(text) ? Number(text) : undefined;
