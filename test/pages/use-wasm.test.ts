import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChromiumPages, isolated, type PageOptions } from '../support/chromium-pages';
import { expectExplained } from '../support/troubleshooting';

type Program = typeof import('./use-wasm-program');

const folder = 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out';
const simd = 'tfjs-backend-wasm-simd.wasm';

let pages: ChromiumPages;
beforeAll(async () => {
  pages = await ChromiumPages.start('./test/pages/use-wasm-program.ts', {
    [`/wasm/${simd}`]: await readFile(`${folder}/${simd}`),
    [`/html/${simd}`]: '<!doctype html><title>Not found</title>',
  });
});
afterAll(() => pages.close());

const call = <Name extends keyof Program>(
  name: Name,
  args: Parameters<Program[Name]>,
  options?: PageOptions,
) => pages.call<Program, Name>(name, args, options);

const works = { backend: 'wasm', sum: 6 };

describe('useWasm in a page', () => {
  test.each([
    ['a plain page', {}],
    // Where tfjs alone would start threads, which never answer in a minified page.
    ['an isolated page', { headers: isolated }],
    [
      'a page whose policy allows scripts of its own, and WebAssembly',
      { headers: { 'Content-Security-Policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" } },
    ],
  ])('starts in %s, without paths', async (_name, options) => {
    expect(await call('start', [], options)).toEqual(works);
  });

  test.each([[{}], [{ headers: isolated }]])('starts in a Web Worker of a page with %o', async (options) => {
    expect(await call('startInWorker', ['/stdin.js'], options)).toEqual(works);
  });

  test.each([[{ paths: '/wasm' }], [{ paths: '/wasm/' }], [{ paths: { [simd]: `/wasm/${simd}` } }]])(
    'takes the binary from %o',
    async (options) => {
      const page = await pages.open();
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      expect(await page.evaluate(`program.start(${JSON.stringify(options)})`)).toEqual(works);
      expect(asked.filter((path) => path.endsWith('.wasm'))).toEqual([`/wasm/${simd}`]);
      await page.close();
    },
  );

  test.each([
    ['/missing', 'answered 404'],
    ['/html', 'is not a WebAssembly file'],
  ])('says why there is no binary at %s, and keeps the backend that was active', async (paths, why) => {
    const page = await pages.open();
    await page.evaluate("program.setBackend('cpu')");
    const found = (await page.evaluate(`program.start({ paths: '${paths}' })`)) as { message: string };
    expectExplained(found.message);
    expect(found).toMatchObject({
      code: 'NO_BACKEND',
      message: expect.stringContaining(why),
      backend: 'cpu',
    });
    // A failed attempt spoils nothing.
    expect(await page.evaluate("program.start({ paths: '/wasm' })")).toEqual(works);
    await page.close();
  });

  test('says that the policy of the page forbids WebAssembly', async () => {
    const headers = { 'Content-Security-Policy': "script-src 'self'" };
    expect(await call('start', [], { headers })).toMatchObject({
      code: 'NO_WASM',
      message: expect.stringMatching(/wasm-unsafe-eval/),
    });
  });
});
