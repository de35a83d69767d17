import { WeightsError } from '../errors';
import { BodyStream, causeOf, contentLength } from './body-stream';
import type { Receiver } from './receiver';
import { PassingFailure, retryAfterMs } from './retry';

/** How a {@link RemoteFile} reaches its server. */
export interface Transport {
  readonly fetch: typeof fetch;
  /** Without a byte for as long, a connection counts as broken. */
  readonly stallTimeoutMs: number;
}

/**
 * A file on a server, read in parts. Servers that ignore Range send the file from its start: what lies before the wanted part is
 * skipped, and the connection is kept, so that the next part goes on from there.
 */
export class RemoteFile {
  private stream: BodyStream | undefined;

  constructor(
    readonly url: string,
    private readonly transport: Transport,
  ) {}

  /**
   * Brings to `receiver` what it lacks of the file's part that starts at `offset`. Throws a `PassingFailure` where that ended early;
   * called again, it goes on. Bytes that arrive a second time are compared with the first, to notice a file that has changed.
   */
  async fill(
    receiver: Receiver,
    offset: number,
    signal: AbortSignal | undefined,
    onBytes: () => void,
  ): Promise<void> {
    if (receiver.complete) return;
    const stream = await this.streamAt(receiver, offset, signal);
    const needed = offset + (receiver.length ?? 0);
    const { total } = stream;
    if (total !== undefined && (total < needed || (receiver.whole && receiver.length && total !== needed)))
      throw this.wrongSize(total, `${receiver.whole ? '' : 'at least '}${needed} bytes`);
    for (;;) {
      const chunk = await stream.next();
      if (!chunk) break;
      const at = stream.position - chunk.length - offset;
      const useful = chunk.subarray(
        Math.max(0, -at),
        receiver.length === undefined ? undefined : receiver.length - at,
      );
      if (useful.length === 0 && at < 0) continue;
      if (!receiver.put(Math.max(0, at), useful)) this.changed(receiver);
      onBytes();
      if (!receiver.complete) continue;
      stream.pushBack(chunk.subarray(useful.byteOffset - chunk.byteOffset + useful.length));
      // A range has been answered to its end, which frees the connection; a whole file goes on with the next part.
      if (stream.ranged && (await stream.next()) === undefined) this.stream = undefined;
      else if (stream.ranged) this.close();
      return;
    }
    this.close();
    const missing = receiver.length ?? (stream.total === undefined ? receiver.filled : stream.total - offset);
    if (receiver.filled < missing)
      throw new PassingFailure(
        `${this.url} ended after ${offset + receiver.filled} bytes instead of ${offset + missing}`,
        { code: 'TRUNCATED' },
      );
  }

  /** Size of the file; undefined where the server does not say. */
  async size(signal: AbortSignal | undefined): Promise<number | undefined> {
    const controller = new AbortController();
    const head = await this.request({ method: 'HEAD' }, controller, signal).catch((error: unknown) => {
      // Not every server answers HEAD.
      if (error instanceof WeightsError) return undefined;
      throw error;
    });
    if (head && contentLength(head) !== undefined) return contentLength(head);
    const response = await this.request({}, controller, signal);
    controller.abort();
    return contentLength(response);
  }

  /** Ends the connection. The file may be read again. */
  close(): void {
    this.stream?.close();
    this.stream = undefined;
  }

  private async streamAt(
    receiver: Receiver,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<BodyStream> {
    const overlap = Math.min(receiver.filled, overlapBytes);
    const from = offset + receiver.filled - overlap;
    if (this.stream && !this.stream.broken && this.stream.position <= offset + receiver.filled) {
      this.stream.signal = signal;
      return this.stream;
    }
    this.close();
    const last = receiver.length === undefined ? '' : offset + receiver.length - 1;
    const headers = from > 0 || !receiver.whole ? { Range: `bytes=${from}-${last}` } : undefined;
    const controller = new AbortController();
    const response = await this.request(headers ? { headers } : {}, controller, signal);
    if (response.status === 416) {
      if (receiver.filled > 0) this.changed(receiver);
      const found = Number(response.headers.get('content-range')?.match(/\*\/(\d+)$/)?.[1] ?? 0);
      throw this.wrongSize(found, `more than ${from} bytes`);
    }
    const start = startOf(response, from, this.url);
    this.stream = new BodyStream(response, start, controller, this.url, this.transport.stallTimeoutMs);
    this.stream.signal = signal;
    const version = response.headers.get('etag') ?? response.headers.get('last-modified') ?? undefined;
    if (receiver.filled > 0 && receiver.version && version && receiver.version !== version)
      this.changed(receiver);
    receiver.version ??= version;
    return this.stream;
  }

  private wrongSize(found: number, accepted: string): WeightsError {
    this.close();
    return new WeightsError('WRONG_SIZE', `${this.url} has ${found} bytes; expected ${accepted}.`, {
      option: 'weights',
      value: found,
      accepted,
    });
  }

  private changed(receiver: Receiver): never {
    this.close();
    receiver.reset();
    throw new PassingFailure(`${this.url} has changed while it was being fetched`, { delayMs: 0 });
  }

  private async request(
    init: RequestInit,
    controller: AbortController,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const stop = () => controller.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    const stalled = setTimeout(
      () => controller.abort(new PassingFailure(`${this.url} does not answer`)),
      this.transport.stallTimeoutMs,
    );
    try {
      const response = await this.transport.fetch(this.url, { ...init, signal: controller.signal });
      if (response.ok || response.status === 416) return response;
      controller.abort();
      throw failedResponse(response, this.url);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof PassingFailure || error instanceof WeightsError) throw error;
      throw failedConnection(error, this.url);
    } finally {
      clearTimeout(stalled);
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** Bytes that a continued download asks for again, to compare. */
const overlapBytes = 1024;

/** Where in the file a response starts. */
function startOf(response: Response, from: number, url: string): number {
  if (response.status !== 206) return 0;
  const start = Number(response.headers.get('content-range')?.match(/^bytes (\d+)-/)?.[1] ?? from);
  if (start === from) return start;
  throw new WeightsError(
    'DOWNLOAD_FAILED',
    `${url} answered a request for byte ${from} with byte ${start}.`,
    {
      option: 'weights',
      value: start,
      accepted: `${from}`,
    },
  );
}

const passingStatus = [408, 425, 429, 500, 502, 503, 504];

function failedResponse(response: Response, url: string): Error {
  const answer = `${url} answered ${response.status}${response.statusText ? ` ${response.statusText}` : ''}`;
  if (passingStatus.includes(response.status))
    return new PassingFailure(answer, { delayMs: retryAfterMs(response.headers.get('retry-after')) });
  return new WeightsError('DOWNLOAD_FAILED', `${answer}.`, { option: 'weights', value: url });
}

/** Names that do not exist and servers that refuse will not be better in a second; lost connections may. */
const lastingFailures = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
];

function failedConnection(error: unknown, url: string): Error {
  const code = error instanceof Error ? (error.cause as { code?: unknown } | undefined)?.code : undefined;
  const message = `${url} cannot be reached (${causeOf(error)})`;
  const offline = globalThis.navigator?.onLine === false;
  if (offline || (typeof code === 'string' && lastingFailures.includes(code)))
    return new WeightsError('DOWNLOAD_FAILED', `${message}.`, {
      option: 'weights',
      value: url,
      cause: error,
    });
  return new PassingFailure(message, { cause: error });
}
