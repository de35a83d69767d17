import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a {@link FileServer} noted of a request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
}

/** Answers a request itself and returns true, or leaves it to the server. */
export type Interference = (
  request: SeenRequest,
  response: ServerResponse,
  /** How many requests came before, for the same path. */
  before: number,
) => boolean | Promise<boolean>;

/** A server of files on the loopback interface, which can be told to misbehave. */
export class FileServer {
  readonly requests: SeenRequest[] = [];
  interfere: Interference = () => false;
  /** Whether Range is honoured. */
  ranges = true;
  /** What names the version of a file: its length and first byte, as a strong or a weak ETag. */
  etag: boolean | 'weak' = true;
  lastModified: string | undefined;
  private readonly server = createServer((request, response) => void this.answer(request, response));

  constructor(readonly files: Map<string, Uint8Array>) {}

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** Paths of the requests so far, without the slash. */
  get paths(): string[] {
    return this.requests.map(({ path }) => path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname).slice(1);
    const before = this.requests.filter((seen) => seen.path === path).length;
    const seen = { method: request.method ?? '', path, range: request.headers.range };
    this.requests.push(seen);
    if (await this.interfere(seen, response, before)) return;
    this.serve(seen, response);
  }

  /** Answers as a good server does. */
  serve({ path, range }: SeenRequest, response: ServerResponse): void {
    const file = this.files.get(path);
    if (!file) {
      response.writeHead(404).end('not here');
      return;
    }
    const weak = this.etag === 'weak' ? 'W/' : '';
    if (this.etag) response.setHeader('ETag', `${weak}"${file.length}-${file[0]}"`);
    if (this.lastModified) response.setHeader('Last-Modified', this.lastModified);
    const match = this.ranges ? range?.match(/^bytes=(\d+)-(\d*)$/) : undefined;
    if (!match) {
      response.writeHead(200, { 'Content-Length': file.length }).end(file);
      return;
    }
    const from = Number(match[1]);
    const to = Math.min(file.length, match[2] === '' ? file.length : Number(match[2]) + 1);
    if (from >= to) {
      response.writeHead(416, { 'Content-Range': `bytes */${file.length}` }).end();
      return;
    }
    response
      .writeHead(206, {
        'Content-Range': `bytes ${from}-${to - 1}/${file.length}`,
        'Content-Length': to - from,
      })
      .end(file.subarray(from, to));
  }
}
