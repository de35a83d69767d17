import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Builds examples/web into a folder, as `npm run demo:web` does. */
export async function buildDemoPage(outDir: string): Promise<void> {
  const config = ['--config', 'examples/web/vite.config.ts', '--outDir', outDir, '--emptyOutDir'];
  // Vitest's own value would make a page for development.
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)('npx', ['vite', 'build', ...config, '--logLevel', 'error'], { env });
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

/** A host of static files that sends no header but their type. */
export class StaticHost {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(folder: string): Promise<StaticHost> {
    const server = createServer(({ url = '/' }, response) => {
      const { pathname } = new URL(url, 'http://localhost');
      try {
        const bytes = readFileSync(resolve(folder, `.${pathname === '/' ? '/index.html' : pathname}`));
        response.writeHead(200, { 'Content-Type': types[extname(pathname)] ?? 'text/html' }).end(bytes);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new StaticHost(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
