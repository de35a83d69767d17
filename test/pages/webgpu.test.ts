import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChromiumPages } from '../support/chromium-pages';
import '../support/to-be-allclose';

type Program = typeof import('./webgpu-program');

let pages: ChromiumPages;
beforeAll(async () => {
  pages = await ChromiumPages.start('./test/pages/webgpu-program.ts');
});
afterAll(() => pages.close());

// Software compiles the kernels, for seconds on a busy machine.
const limit = 240_000;

test(
  'the engine webgpu paints in a page and in a worker as wasm does; left to the library, wasm takes the place of software',
  async () => {
    const page = await pages.open();
    const paint = (engine: Parameters<Program['paint']>[0]) =>
      page.evaluate(`program.paint('${engine}')`) as ReturnType<Program['paint']>;
    const byWasm = await paint('wasm');
    expect(byWasm).toMatchObject({ engine: 'wasm', backend: 'wasm' });

    const inPage = await paint('webgpu');
    expect(inPage).toMatchObject({ engine: 'webgpu', backend: 'webgpu', warnings: [] });
    expect(inPage.losses).toBeAllclose(byWasm.losses, { rtol: 1e-3 });
    // Chromium has SwiftShader here, and no GPU.
    expect(await paint('auto')).toEqual({ ...byWasm, warnings: ['BACKEND_REPLACED', ...byWasm.warnings] });

    const inWorker = (await page.evaluate("program.paintInWorker(['webgpu', 'auto'])")) as Awaited<
      ReturnType<Program['paintInWorker']>
    >;
    expect(inWorker[0]).toMatchObject({ engine: 'webgpu', backend: 'webgpu', warnings: [] });
    expect(inWorker[0].losses).toBeAllclose(byWasm.losses, { rtol: 1e-3 });
    expect(inWorker[1]).toEqual({ ...byWasm, warnings: ['BACKEND_REPLACED', ...byWasm.warnings] });
    await page.close();
  },
  limit,
);
