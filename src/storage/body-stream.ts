import { PassingFailure } from './retry';

/** A response's body, with the position in the file. */
export class BodyStream {
  /** In the file, of the next byte. */
  position: number;
  /** Size of the file, where the server says it. */
  readonly total: number | undefined;
  /** Whether the server sends the part that was asked for, not the file from its start. */
  readonly ranged: boolean;
  broken = false;
  signal: AbortSignal | undefined;
  private readonly reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private kept: Uint8Array | undefined;

  constructor(
    response: Response,
    start: number,
    private readonly controller: AbortController,
    private readonly url: string,
    private readonly stallTimeoutMs: number,
  ) {
    this.position = start;
    const length = contentLength(response);
    const total = Number(response.headers.get('content-range')?.match(/\/(\d+)$/)?.[1]);
    this.ranged = response.status === 206;
    this.total = this.ranged ? (total >= 0 ? total : undefined) : length;
    this.reader = response.body?.getReader();
  }

  /** The next bytes, undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const kept = this.kept;
    this.kept = undefined;
    const chunk = kept ?? (await this.receive());
    this.position += chunk?.length ?? 0;
    return chunk;
  }

  /** Gives back the end of the last chunk. */
  pushBack(rest: Uint8Array): void {
    if (rest.length === 0) return;
    this.kept = rest;
    this.position -= rest.length;
  }

  close(): void {
    this.broken = true;
    this.controller.abort();
    this.reader?.cancel().catch(() => undefined);
  }

  private async receive(): Promise<Uint8Array | undefined> {
    const { signal, controller } = this;
    signal?.throwIfAborted();
    const stop = () => controller.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    const stalled = setTimeout(
      () => controller.abort(new PassingFailure(`${this.url} has stalled`)),
      this.stallTimeoutMs,
    );
    try {
      const chunk = await this.reader?.read();
      return chunk?.done ? undefined : chunk?.value;
    } catch (error) {
      this.broken = true;
      if (signal?.aborted) throw signal.reason;
      if (error instanceof PassingFailure) throw error;
      throw new PassingFailure(`The connection to ${this.url} broke (${causeOf(error)})`, { cause: error });
    } finally {
      clearTimeout(stalled);
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** Size of a response's body; undefined where the server does not say. */
export function contentLength(response: Response): number | undefined {
  const length = response.headers.get('content-length');
  // The length of a compressed body says nothing of the file's.
  if (length === null || response.headers.get('content-encoding')) return undefined;
  return /^\d+$/.test(length) ? Number(length) : undefined;
}

/** fetch() says 'fetch failed' and hides the reason in the cause. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
