import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChromiumPages } from '../support/chromium-pages';
import { expectExplained } from '../support/troubleshooting';

let pages: ChromiumPages;
beforeAll(async () => {
  pages = await ChromiumPages.start('./test/pages/gpu-program.ts');
});
afterAll(() => pages.close());

interface Found {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly events: readonly { readonly type: string; readonly [field: string]: unknown }[];
}

/** Calls the program; the guide must explain what went wrong. */
async function run(page: Page, call: string): Promise<Found> {
  const found = (await page.evaluate(`program.${call}`)) as Found;
  if (found.message !== undefined) expectExplained(found.message);
  return found;
}

// Software rendering compiles and runs shaders for tens of seconds on a busy machine.
const limit = 240_000;

describe.each([
  ['webgl', 'tfjs'],
  ['webgpu', 'webgpu'],
])('on %s, by the engine %s,', (backend, engine) => {
  test(
    'a device that is lost in a run ends it with an error that says so, and the image so far',
    async (context) => {
      const page = await pages.open();
      if (!(await page.evaluate(`program.setBackend('${backend}')`))) return context.skip();
      const found = await run(page, `paint(16, { iterations: 50, engine: '${engine}' }, 2)`);
      expect(found).toMatchObject({
        name: 'ComputationError',
        code: 'DEVICE_LOST',
        message: expect.stringContaining(`backend ${backend} is lost`),
      });
      const [interrupted] = found.events.filter(({ type }) => type === 'interrupted');
      expect(interrupted.loss).toBeGreaterThan(0);
      // Neither black nor white: alpha alone is a quarter of white.
      expect(interrupted.mean).toBeGreaterThan(80);
      expect(interrupted.mean).toBeLessThan(250);
      // Then every call says so at once, until the program has another backend.
      expect(await run(page, `paint(16, { engine: '${engine}' })`)).toMatchObject({ code: 'DEVICE_LOST' });
      if (backend === 'webgpu') {
        await page.evaluate('program.renewDevice()');
        expect(await run(page, "paint(16, { engine: 'webgpu' })")).toMatchObject({ engine, finite: true });
      }
      expect(await run(page, 'goOn()')).toMatchObject({ backend: 'wasm', finite: true });
      await page.close();
    },
    limit,
  );
});

describe('on webgl', () => {
  test(
    '16-bit floats are refused before the first evaluation',
    async () => {
      const page = await pages.open();
      await page.evaluate("program.setFlag('WEBGL_FORCE_F16_TEXTURES', true)");
      await page.evaluate("program.setBackend('webgl')");
      expect(await run(page, 'paint(16)')).toMatchObject({
        code: 'LOW_PRECISION',
        message: expect.stringContaining('useWasm()'),
        events: [],
      });
      await page.close();
    },
    limit,
  );

  test(
    'an image whose tensors are larger than textures is painted by tiles',
    async () => {
      const page = await pages.open();
      await page.evaluate("program.setFlag('WEBGL_MAX_TEXTURE_SIZE', 600)");
      await page.evaluate("program.setBackend('webgl')");
      // 9 x 64 values for each of 56 x 56 positions, four a pixel, are more than 600 x 600 pixels. One evaluation is
      // enough: software takes seconds for it.
      const { events } = await run(page, 'paint(56, { size: 56 }, 0)');
      expect(events[0].tiles).toBeGreaterThan(1);
      expect(events.at(-1)).toMatchObject({ type: 'interrupted', loss: expect.toSatisfy(Number.isFinite) });
      await page.close();
    },
    limit,
  );

  test(
    'an image that no tiles make small enough is refused before the first evaluation, with the size that fits',
    async () => {
      const page = await pages.open();
      await page.evaluate("program.setFlag('WEBGL_MAX_TEXTURE_SIZE', 600)");
      await page.evaluate("program.setBackend('webgl')");
      const found = await run(page, 'paint(300, { size: 4000 })');
      expect(found).toMatchObject({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(
          /the largest tensors of the webgl backend; accepted: a size of at most \d+/,
        ),
        events: [],
      });
      await page.close();
    },
    limit,
  );
});

test(
  'a backend that was asked for and does not start is a warning that names the one that runs',
  async () => {
    const page = await pages.open({ before: 'GPU.prototype.requestAdapter = async () => null' });
    expect(await page.evaluate("program.setBackend('webgpu')")).toBe(false);
    const found = await run(page, 'paint(16)');
    expect(found).toMatchObject({ backend: 'webgl', finite: true });
    expect(found.events).toContainEqual({
      type: 'warning',
      code: 'BACKEND_REPLACED',
      message: "The backend 'webgpu' that was asked for does not start here; 'webgl' computes in its place.",
    });
    await page.close();
  },
  limit,
);
