import { build } from 'esbuild';
import type { Page } from 'playwright';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledText, bundledTextsInEsbuild, pageBuild } from '../../scripts/bundled-text';
import { createGenerator, encodeGenerator, johnson } from '../../src/generators';
import { samples } from '../docs/samples';
import { ChromiumPages } from '../support/chromium-pages';

/**
 * Runs the samples of the guide "In the page" in pages that have the elements which they look for: two pictures and a
 * canvas.
 */
const file = 'docs/guides/page.md';
const all = samples().filter((sample) => sample.file === file);
const programs = all.filter(({ language }) => language === 'ts page');
const codeOf = (language: string) => all.find((sample) => sample.language === language)?.code ?? '';
const elements = '<img src="/photo.png"><img src="/painting.png"><canvas></canvas>';

const { network, initialWeights } = johnson({ width: 2, blocks: 1 });
const generator = createGenerator({ network, weights: initialWeights(1) });

let pages: ChromiumPages;
beforeAll(async () => {
  const scripts = await Promise.all(
    programs.map(async ({ code }, i) => [`/sample-${i}.js`, await bundled(code)] as const),
  );
  const parts = ['core', 'backend-wasm', 'backend-cpu', 'main'];
  const program = await Promise.all(parts.map((name) => bundledText(`src/worker/program/${name}.ts`)));
  pages = await ChromiumPages.start('./test/pages/worker-program.ts', {
    ...Object.fromEntries(scripts),
    '/style-worker.js': program.join('\n'),
    '/page.js': await pageBuild(),
    '/no-bundler.js': scriptOf(codeOf('html')),
    '/loss.js': codeOf('js'),
    '/painting.safetensors': Buffer.from(encodeGenerator(generator)),
    '/photo.png': await picture(1),
    '/painting.png': await picture(2),
  });
});
afterAll(() => pages.close());

/** The script of a page, which gets the library from here in place of the delivery network. */
function scriptOf(html: string): string {
  const [, script = ''] = /<script type="module">([\s\S]*)<\/script>/.exec(html) ?? [];
  return script.replace('https://cdn.jsdelivr.net/npm/tfjs-style-transfer', '/page.js');
}

/** A sample as one script for pages; React, which is not installed here, is left out of it. */
async function bundled(code: string, loader: 'ts' | 'tsx' = 'ts'): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: process.cwd(), loader },
    external: ['react', 'react/jsx-runtime'],
    jsx: 'automatic',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    alias: { 'tfjs-style-transfer/worker': './src/worker/index.ts' },
    plugins: [bundledTextsInEsbuild],
  });
  return outputFiles[0].text;
}

const picture = (seed: number) =>
  sharp(
    Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 37 * seed + ((i * i) >> 5)) & 255),
    {
      raw: { width: 32, height: 32, channels: 3 },
    },
  )
    .blur(1.5)
    .png()
    .toBuffer();

/** Size of the page's canvas, 300 x 150 until something is drawn. */
const canvasOf = (page: Page) =>
  page.evaluate(() => {
    const { width, height } = document.querySelector('canvas') as HTMLCanvasElement;
    return [width, height];
  });

async function pageWith(body: string): Promise<Page> {
  const page = await pages.open();
  await page.evaluate(async (html) => {
    document.body.innerHTML = html;
    await Promise.all([...document.images].map((image) => image.decode()));
  }, body);
  return page;
}

describe('samples of the guide "In the page"', () => {
  test.each(programs.map(({ line, code }, i) => ({ line, i, draws: /canvas\.width/.test(code) })))(
    `${file}:$line runs`,
    async ({ i, draws }) => {
      const page = await pageWith(elements);
      await page.evaluate(`import('/sample-${i}.js')`);
      if (draws) expect(await canvasOf(page)).toEqual([32, 32]);
      await page.close();
    },
  );

  test("React's component builds with what it imports", async () => {
    const code = codeOf('tsx');
    expect(code).toContain("from 'tfjs-style-transfer/worker'");
    expect(await bundled(code, 'tsx')).toMatch(/export \{\s*Painting/);
  });

  test('the page without a bundler draws', async () => {
    const page = await pageWith(elements);
    await page.evaluate("import('/no-bundler.js')");
    expect(await canvasOf(page)).toEqual([32, 32]);
    await page.close();
  });
});
