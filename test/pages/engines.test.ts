import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChromiumPages, isolated, type PageOptions } from '../support/chromium-pages';
import { expectExplained } from '../support/troubleshooting';

type Program = typeof import('./use-wasm-program');

let pages: ChromiumPages;
beforeAll(async () => {
  pages = await ChromiumPages.start('./test/pages/use-wasm-program.ts');
});
afterAll(() => pages.close());

/** Paints in a page of its own, on the cpu backend, which needs nothing of the page. */
async function paint(options: Parameters<Program['paint']>[0], of: PageOptions) {
  const page = await pages.open(of);
  try {
    await page.evaluate("program.setBackend('cpu')");
    return (await page.evaluate(`program.paint(${JSON.stringify(options)})`)) as never;
  } finally {
    await page.close();
  }
}

const policy = (text: string) => ({ 'Content-Security-Policy': text });
const noBlobs = policy("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'");
const noWasm = policy("script-src 'self'; worker-src blob:");
const several = { before: "Object.defineProperty(navigator, 'hardwareConcurrency', { value: 3 })" };

/** A platform, and what it lacks: for threads, or for the wasm engine altogether. */
const places: readonly [name: string, lacks: 'nothing' | 'threads' | 'wasm', why: RegExp, of: PageOptions][] =
  [
    ['an isolated page', 'nothing', /./, { headers: isolated, ...several }],
    ['a page that is not isolated', 'threads', /COOP, COEP/, several],
    [
      'an isolated page whose policy forbids workers from blobs',
      'threads',
      /worker-src blob:/,
      { headers: { ...isolated, ...noBlobs }, ...several },
    ],
    [
      'an isolated page without workers',
      'threads',
      /Worker is not defined/,
      { headers: isolated, before: `${several.before}; delete globalThis.Worker` },
    ],
    [
      'an isolated page without addresses of blobs',
      'threads',
      /createObjectURL/,
      { headers: isolated, before: `${several.before}; delete URL.createObjectURL` },
    ],
    [
      'an isolated page whose policy forbids WebAssembly',
      'wasm',
      /wasm-unsafe-eval/,
      { headers: { ...isolated, ...noWasm }, ...several },
    ],
    [
      'a page whose policy forbids WebAssembly',
      'wasm',
      /wasm-unsafe-eval|COEP/,
      { headers: noWasm, ...several },
    ],
    [
      'a browser without WebAssembly',
      'wasm',
      /WebAssembly with SIMD/,
      { before: `${several.before}; delete globalThis.WebAssembly` },
    ],
  ];

/** Signs of a message that was made of something missing. */
const blank = /undefined|null|\[object|NaN/;

describe.each(places)('in %s', (_name, lacks, why, of) => {
  test("engine 'auto' paints, and one warning for each step down says why", async () => {
    const found = await paint({}, of);
    const codes = { nothing: [], threads: ['THREADS_UNAVAILABLE'], wasm: ['ENGINE_UNAVAILABLE'] }[lacks];
    expect(found).toMatchObject({
      engine: lacks === 'wasm' ? 'tfjs' : 'wasm',
      threads: lacks === 'nothing' ? 3 : 1,
      finite: true,
    });
    const { warnings } = found as { warnings: { code: string; message: string }[] };
    expect(warnings.map(({ code }) => code)).toEqual(codes);
    for (const { message } of warnings) {
      expect(message).toMatch(why);
      expect(message).not.toMatch(blank);
      expectExplained(message);
    }
  });

  test('a number of threads is what computes, or an error says why', async () => {
    const found = await paint({ threads: 2 }, of);
    if (lacks === 'nothing') expect(found).toMatchObject({ engine: 'wasm', threads: 2, warnings: [] });
    else {
      expect(found).toMatchObject({
        code: expect.stringMatching(/^(THREADS_UNAVAILABLE|NO_WASM)$/),
        // In a plain page, threads alone are out of reach.
        message: expect.stringMatching(of.headers === noWasm ? /COOP, COEP/ : why),
      });
      const { message } = found as { message: string };
      expect(message).not.toMatch(blank);
      expectExplained(message);
    }
  });

  test("engine 'wasm' is what computes, or an error says why", async () => {
    const found = await paint({ engine: 'wasm' }, of);
    if (lacks !== 'wasm') expect(found).toMatchObject({ engine: 'wasm' });
    else expect(found).toMatchObject({ code: expect.stringMatching(/^(NO_WASM|NO_SIMD)$/) });
  });
});

test('threads that never answer are given up after half a minute', async () => {
  const silent = `${several.before}; globalThis.Worker = class { postMessage() {} terminate() {} }`;
  const page = await pages.open({ headers: isolated, before: silent });
  await page.clock.install();
  await page.evaluate("program.setBackend('cpu')");
  const painting = page.evaluate('program.paint({})');
  let found: unknown;
  void painting.then((value) => {
    found = value;
  });
  // In steps, because the timer starts only once the weights have been read.
  while (!found) await page.clock.runFor(31_000);
  expect(found).toMatchObject({ engine: 'wasm', threads: 1, finite: true });
  const { warnings } = found as { warnings: { message: string }[] };
  expect(warnings[0].message).toContain('did not answer within 30 seconds');
  await page.close();
});
