import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledText, pageBuild } from '../../scripts/bundled-text';
import { encodeGenerator } from '../../src/generators';
import { ChromiumPages, isolated, type PageOptions } from '../support/chromium-pages';
import { negative } from '../support/generators';
import { expectExplained } from '../support/troubleshooting';

type Program = typeof import('./worker-program');

const inverted = encodeGenerator(negative());

const lossModule = `export default ({ content }, { losses }) => losses.totalVariationLoss();`;

let pages: ChromiumPages;
beforeAll(async () => {
  const parts = await Promise.all(
    ['core', 'backend-cpu', 'main'].map((name) => bundledText(`src/worker/program/${name}.ts`)),
  );
  pages = await ChromiumPages.start('./test/pages/worker-program.ts', {
    '/style-worker.js': parts.join('\n'),
    '/page.js': await pageBuild(),
    '/photo.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"/>',
    '/broken.js': 'throw new Error("broken on purpose");',
    '/loss.js': lossModule,
    '/no-loss.js': 'export default 1;',
  });
});
afterAll(() => pages.close());

const call = <Name extends keyof Program>(
  name: Name,
  args: Parameters<Program[Name]>,
  options?: PageOptions,
) => pages.call<Program, Name>(name, args, options);

const policy = (text: string): PageOptions => ({ headers: { 'Content-Security-Policy': text } });
const scripts = "script-src 'self' 'wasm-unsafe-eval'";
const unavailable = (message: RegExp) => ({
  name: 'EnvironmentError',
  code: 'WORKER_UNAVAILABLE',
  message: expect.stringMatching(message),
});

describe('styleTransfer in a worker', () => {
  test.each([
    ['a plain page', {}],
    ['an isolated page', { headers: isolated }],
    [
      'a page whose policy allows workers from blobs',
      policy(`default-src 'self'; ${scripts}; worker-src blob:`),
    ],
  ])('paints in %s', async (_name, options) => {
    expect(await call('paint', [], options)).toEqual({ engine: 'wasm', backend: 'wasm', falls: true });
  });

  test('asks the server for nothing', async () => {
    const page = await pages.open();
    const asked: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith('blob:')) asked.push(new URL(request.url()).pathname);
    });
    await page.evaluate('program.paint()');
    // The worker's program is a part of the page's.
    expect(asked.filter((path) => !/^\/[\w-]+\.js$/.test(path))).toEqual([]);
    await page.close();
  });

  test('takes a loss from a module, and refuses one without it', async () => {
    expect(await call('paintBy', ['/loss.js'])).toEqual({ terms: 1 });
    expect(await call('paintBy', ['/no-loss.js'])).toMatchObject({ code: 'MODULE_FAILED' });
    expect(await call('paintBy', ['/not-there.js'])).toMatchObject({ code: 'MODULE_FAILED' });
  });

  test('refuses a picture of another origin whose pixels may not be read', async () => {
    expect(await call('paintForeign', ['/photo.svg'])).toMatchObject({
      name: 'ImageError',
      code: 'CROSS_ORIGIN',
    });
  });

  test('that dies ends its run with a code, and the last preview', async () => {
    expect(await call('lose', [])).toEqual({ code: 'WORKER_LOST', pixels: 40 * 40 * 4 });
  });
});

describe('a worker', () => {
  test.each(['cpu', 'wasm', 'webgl'] as const)('computes on the backend %s', async (backend) => {
    expect(await call('paintIn', [{ backend }])).toEqual({ backend });
  });

  test('may be a script that the page serves, under a policy without blobs', async () => {
    const options = policy(`default-src 'self'; ${scripts}; worker-src 'self'`);
    expect(await call('paintIn', [{ worker: '/style-worker.js', backend: 'cpu' }], options)).toEqual({
      backend: 'cpu',
    });
    expect(await call('paintIn', [{ worker: '/style-worker.js', backend: 'webgl' }])).toMatchObject({
      code: 'NO_BACKEND',
    });
  });

  test.each([
    [
      'the policy forbids it',
      {},
      policy(`default-src 'self'; ${scripts}; worker-src 'self'`),
      /worker-src.*policy/,
    ],
    ['its script is not found', { worker: '/not-there.js' }, {}, /not-there\.js does not load/],
    ['its script fails', { worker: '/broken.js' }, {}, /broken on purpose/],
    ['it is of another origin', { worker: 'https://example.org/worker.js' }, {}, /cannot be started/],
    [
      'it does not answer',
      { script: 'onmessage = () => {}', startLimit: 300 },
      {},
      /answer within 0.3 seconds/,
    ],
    ['there are no workers', {}, { before: 'delete globalThis.Worker' }, /no Web Workers/],
  ] as const)('says so where %s', async (_name, options, page, message) => {
    const found = await call('paintIn', [options], page);
    expect(found).toEqual(unavailable(message));
    expectExplained((found as { message?: string }).message);
  });

  test('whose page may not compile WebAssembly says so', async () => {
    const options = policy("default-src 'self'; script-src 'self'; worker-src blob:");
    expect(await call('paintIn', [], options)).toMatchObject({ name: 'EnvironmentError', code: 'NO_WASM' });
  });
});

test('the page shows frames while a worker paints', async () => {
  const { median, longest } = await call('framesInWorker', []);
  // Bounds for a machine that does other things too; `npm run bench:frames` measures.
  expect(median).toBeLessThan(50);
  expect(longest).toBeLessThan(2000);
});

test('the build for pages without a bundler paints, in a worker and on the page, from one script', async () => {
  const page = await pages.open();
  const found = await page.evaluate(`(async () => {
    const library = await import('/page.js');
    const image = { data: new Uint8Array(24 * 24 * 3).map((_, i) => (i * 37) % 251), width: 24, height: 24, channels: 3 };
    const options = { weights: 'embedded', iterations: 2 };
    const inWorker = await library.styleTransfer(image, image, 1, 1e4, { ...options, init: 'noise' });
    await library.useWasm();
    const onPage = await library.blockingStyleTransfer(image, image, 1, 1e4, { ...options, init: 'noise' });
    const [a, b] = [await library.toImageData(inWorker.image), await library.toImageData(onPage.image)];
    const file = Uint8Array.from(atob('${Buffer.from(inverted).toString('base64')}'), (c) => c.charCodeAt(0));
    const painted = await library.stylize(image, file);
    const started = await library.styleTransfer(image, image, 1, 1e4, { ...options, init: await library.loadGenerator(file) });
    return {
      backend: inWorker.backend,
      tfjs: typeof library.tf.tensor,
      same: a.data.every((value, i) => value === b.data[i]),
      isNegative: painted.image.data.every((value, i) => Math.abs(1 - image.data[i] / 255 - value) < 1e-5),
      init: started.settings.init.of,
    };
  })()`);
  expect(found).toEqual({
    backend: 'wasm',
    tfjs: 'function',
    same: true,
    isNegative: true,
    init: 'generator',
  });
  await page.close();
});
