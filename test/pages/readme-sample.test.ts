import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundledTextsInEsbuild } from '../../scripts/bundled-text';
import { samples } from '../docs/samples';
import { hasShared, shared } from '../support/shared';

vi.setConfig({ testTimeout: 180_000 });

let browser: Browser;
let server: Server;

/** A page with the README's sample, as it stands but for a smaller size, over two pictures and a canvas. */
beforeAll(async () => {
  const [{ code }] = samples().filter(({ file, language }) => file === 'README.md' && language === 'ts page');
  const { outputFiles } = await build({
    stdin: {
      contents: `${code.replace('size: 256', 'size: 32')}\nObject.assign(globalThis, { done: true });`,
      resolveDir: resolve('.'),
      loader: 'ts',
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    outdir: '/',
    alias: { 'tfjs-style-transfer/worker': resolve('src/worker/index.ts') },
    plugins: [bundledTextsInEsbuild],
    loader: { '.wasm': 'binary', '.bin': 'binary' },
    logLevel: 'error',
  });
  const files: Readonly<Record<string, Uint8Array | string>> = {
    '/': '<!doctype html><title>README</title><img src="/photo"><img src="/painting"><canvas></canvas><script type="module" src="/page.js"></script>',
    '/page.js': outputFiles[0].contents,
    '/photo': readFileSync('test/reference/content-96x64.png'),
    '/painting': readFileSync('test/reference/style-80x72.png'),
  };
  server = createServer(async ({ url = '/' }, response) => {
    // Pictures come late, when the page's script already runs.
    if (url.startsWith('/p') && !url.endsWith('.js')) await setTimeout(500);
    const type = url === '/' ? 'text/html' : url === '/page.js' ? 'text/javascript' : 'image/png';
    response.writeHead(url in files ? 200 : 404, { 'Content-Type': type }).end(files[url]);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

describe.skipIf(!hasShared('vgg19'))("the README's sample for pages", () => {
  it('paints on the canvas', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(150_000);
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
    failed.catch(() => {});
    await page.route('https://raw.githubusercontent.com/**', (route) =>
      route.fulfill({
        path: shared(`vgg19/${basename(new URL(route.request().url()).pathname)}`),
        headers: { 'Access-Control-Allow-Origin': '*' },
      }),
    );
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await Promise.race([failed, page.waitForFunction('globalThis.done')]);
    const [width, height, colors] = await page.evaluate(() => {
      const canvas = document.querySelector('canvas') as HTMLCanvasElement;
      const context = canvas.getContext('2d') as CanvasRenderingContext2D;
      const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      return [canvas.width, canvas.height, new Set(pixels).size];
    });
    expect([width, height]).toEqual([32, 21]);
    expect(colors).toBeGreaterThan(300);
  });
});
