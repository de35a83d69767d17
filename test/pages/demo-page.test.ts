import { mkdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildDemoPage, StaticHost } from '../../scripts/demo-page';
import { readSettingsRecord } from '../../src/node';
import { hasShared, shared } from '../support/shared';

/**
 * examples/web from end to end, as a visitor uses it, on a host that sends no header. Pictures are small, so that a run
 * takes a second or two. Each state is photographed into build/demo-page-states, for people to look at.
 */
const folder = resolve('build/demo-page');
const states = resolve('build/demo-page-states');
const mirror = 'https://raw.githubusercontent.com/**';
// Each is a visit of many steps.
vi.setConfig({ testTimeout: 180_000 });

let browser: Browser;
let host: StaticHost;

beforeAll(async () => {
  mkdirSync(states, { recursive: true });
  await buildDemoPage(folder);
  host = await StaticHost.start(folder);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  });
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

/** A visit of the page: what it asked of the network, and what the console had to report. */
interface Visit {
  readonly page: Page;
  readonly requests: string[];
  readonly errors: string[];
}

/** Opens the page, and closes it after the work, which must leave no error in the console. */
async function visit(
  link: string,
  options: BrowserContextOptions,
  work: (visit: Visit) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ serviceWorkers: 'block', ...options });
  try {
    context.setDefaultTimeout(90_000);
    const page = await context.newPage();
    const requests: string[] = [];
    const errors: string[] = [];
    context.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(host.url + link);
    await page.waitForFunction(() => (document.querySelector('#after') as HTMLCanvasElement).width > 16);
    await work({ page, requests, errors });
    expect(errors).toEqual([]);
  } finally {
    await context.close();
  }
}

const inState = (page: Page, state: string) => page.waitForSelector(`body[data-state=${state}]`);
const text = async (page: Page, selector: string) => (await page.textContent(selector)) ?? '';

/** Photographs a state, and looks for barriers. */
async function photograph(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${states}/${name}.png` });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

/** The colour of a pixel of the picture on the easel. */
const pixelsOf = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector('#after') as HTMLCanvasElement;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
  });

async function paint(page: Page): Promise<void> {
  const before = await page.locator('#paintings li').count();
  await page.click('#paint');
  await page.waitForSelector(`#paintings li:nth-child(${before + 1})`, { state: 'attached' });
  await inState(page, 'painted');
}

async function downloaded(page: Page): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
  return readFileSync(await download.path());
}

describe('the page', () => {
  it('paints with one click, lets a run be held, and shows picture, curve, balance and metrics', async () => {
    await visit(
      '#size=96&steps=12',
      { viewport: { width: 1360, height: 900 } },
      async ({ page, requests }) => {
        await photograph(page, 'ready');
        const photo = await pixelsOf(page);
        await page.click('#paint');
        await inState(page, 'painting');
        await page.click('#pause');
        await inState(page, 'paused');
        const held = await text(page, '#step');
        await photograph(page, 'paused');
        expect(await text(page, '#step')).toBe(held);
        expect(held).toMatch(/^Step \d+ of 12$/);
        await page.click('#pause');
        await inState(page, 'painted');
        expect(await text(page, '#caption')).toMatch(/^Painted with the built-in network in \d+ s/);
        await page.waitForSelector('tbody tr');
        await photograph(page, 'painted');

        expect(await pixelsOf(page)).not.toEqual(photo);
        expect(await page.locator('#curve canvas').count()).toBe(1);
        const shares = [...(await text(page, '#balance-text')).matchAll(/(\d+) %/g)].map(
          ([, share]) => +share,
        );
        expect(shares).toHaveLength(3);
        // One thread is all that a page without isolation has, which is a note, no alarm.
        expect(await text(page, '#machine')).toMatch(/^Computed by the wasm engine with 1 thread\.$/);
        expect(await page.locator('[role=alert]').count()).toBe(0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThan(95);
        const cells = await page.locator('tbody td').allTextContents();
        expect(cells).toHaveLength(10);
        for (const cell of cells) expect(cell).toMatch(/^-?\d+\.\d+$/);

        // Nothing leaves the machine.
        expect(requests.filter((url) => !url.startsWith(host.url) && !/^(blob|data):/.test(url))).toEqual([]);
      },
    );
  });

  it('compares before and after, by mouse and by keys', async () => {
    await visit('#size=64&steps=5', { viewport: { width: 1000, height: 800 } }, async ({ page }) => {
      expect(await page.locator('#split').isVisible()).toBe(false);
      await paint(page);
      const handle = async () => (await page.locator('.handle').boundingBox())?.x ?? 0;
      const left = await handle();
      await page.focus('#split');
      for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
      expect(await handle()).toBeGreaterThan(left + 10);
      expect(await page.getAttribute('#split', 'aria-valuetext')).toBe('10 % photograph, 90 % painting');
      const box = await page.locator('#compare').boundingBox();
      if (!box) throw new Error('no picture');
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      expect(Number(await page.inputValue('#split'))).toBeCloseTo(50, -1);
    });
  });

  it('writes the settings into the PNG file, keeps a stopped picture, and goes back to earlier ones', async () => {
    await visit('#size=64&steps=5&beta=2e5', {}, async ({ page }) => {
      await paint(page);
      const record = await readSettingsRecord(await downloaded(page));
      expect(record.options).toMatchObject({ preset: 'li2021', size: 64, iterations: 5, beta: 2e5 });
      expect(record.network.embedded).toBe(true);
      const first = await pixelsOf(page);

      await page.locator('#steps').fill('300');
      await page.click('#paint');
      await inState(page, 'painting');
      await page.waitForFunction(() => /Step [3-9]/.test(document.querySelector('#step')?.textContent ?? ''));
      await page.click('#stop');
      await inState(page, 'painted');
      expect(await text(page, '#caption')).toMatch(/^Stopped after \d+ steps/);
      await expect(readSettingsRecord(await downloaded(page))).rejects.toMatchObject({ code: 'NO_SETTINGS' });

      const pictures = page.locator('#paintings button');
      expect(await pictures.count()).toBe(2);
      await pictures.first().click();
      await page.waitForFunction(() =>
        document.querySelector('#caption')?.textContent?.startsWith('Painted'),
      );
      expect(await pixelsOf(page)).toEqual(first);
      expect(await page.inputValue('#steps')).toBe('5');
      await photograph(page, 'gallery');
    });
  });

  it('says what settings mean, and shares them by a link without pictures', async () => {
    const permissions = ['clipboard-read', 'clipboard-write'];
    await visit('', { permissions }, async ({ page }) => {
      await page.locator('#beta').fill('2');
      expect(await text(page, '#beta-value')).toBe('1e8');
      expect(await text(page, '#weights-text')).toMatch(/^The painting counts 100 times more than published/);
      await page.locator('#size').fill('64');
      await page.locator('#steps').fill('5');
      await page.click('button[value=garden]');
      await page.waitForFunction(() => location.hash.includes('garden'));
      await paint(page);
      await page.click('#share');
      const link = await page.evaluate(() => navigator.clipboard.readText());
      expect(new URL(link).hash).toBe('#beta=100000000&size=64&steps=5&style=garden');
      await page.click('#reset');
      expect(await text(page, '#beta-value')).toBe('1e6');
      await page.goto('about:blank');
      await page.goto(link);
      await page.waitForSelector('button[value=garden][aria-pressed=true]');
      expect(await text(page, '#beta-value')).toBe('1e8');
      expect(await page.inputValue('#size')).toBe('64');
    });
  });

  it('names what is wrong in a link, and uses the rest', async () => {
    const link = '#preset=li2022&size=9000&steps=40&beta=lots&colour=red';
    await visit(link, {}, async ({ page }) => {
      const notice = await text(page, '[role=alert]');
      expect(notice).toMatch(/preset is “li2022”; accepted: li2021, /);
      expect(notice).toMatch(/size is “9000”; accepted: a whole number from 64 to 1024/);
      expect(notice).toMatch(/beta is “lots”; accepted: a number from 1000 to 1e9/);
      expect(notice).toMatch(/“colour”, which this page does not know/);
      expect(await page.inputValue('#steps')).toBe('40');
      expect(await page.inputValue('#size')).toBe('384');
      await photograph(page, 'wrong-link');
    });
  });
});

describe('pictures of the visitor', () => {
  const png = () => readFileSync('test/reference/content-96x64.png');

  it('are chosen, dropped, pasted and photographed', async () => {
    await visit('', { permissions: ['camera'] }, async ({ page }) => {
      const [content, style] = ['content', 'style'].map((name) => page.locator(`[data-slot=${name}]`));
      const shown = (slot: typeof content) => slot.locator('.drop img').getAttribute('src');
      const changed = async (slot: typeof content, act: () => Promise<unknown>) => {
        const before = await shown(slot);
        await act();
        await expect.poll(() => shown(slot), { timeout: 10_000 }).not.toBe(before);
      };
      await changed(content, () =>
        content.locator('input').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: png() }),
      );
      // What a drop or a paste brings.
      const bring = (type: 'drop' | 'paste', selector: string) =>
        page.evaluate(
          ([kind, where, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(bytes)], 'b.png', { type: 'image/png' }));
            const target = document.querySelector(where) as HTMLElement;
            const event =
              kind === 'drop'
                ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
                : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
            target.dispatchEvent(event);
          },
          [type, selector, [...png()]] as const,
        );
      await changed(style, () => bring('drop', '[data-slot=style]'));
      await changed(content, () => bring('paste', 'body'));
      await style.locator('input').focus();
      await changed(style, () => bring('paste', '[data-slot=style] input'));
      await content.locator('.camera').click();
      await page.waitForFunction(() => (document.querySelector('video') as HTMLVideoElement).videoWidth > 0);
      await photograph(page, 'camera');
      await changed(content, () => page.click('#shoot'));
      expect(await page.locator('dialog').isVisible()).toBe(false);
    });
  });

  it('that cannot be opened are refused by name, and the former stays', async () => {
    await visit('', {}, async ({ page }) => {
      const input = page.locator('[data-slot=content] input');
      const before = await page.locator('[data-slot=content] .drop img').getAttribute('src');
      const refusal = async (name: string, mimeType: string, buffer: Buffer) => {
        await input.setInputFiles({ name, mimeType, buffer });
        await page.waitForFunction(
          (file) => document.querySelector('[role=alert]')?.textContent?.includes(file),
          name,
        );
        return text(page, '[role=alert] p');
      };
      expect(await refusal('notes.txt', 'text/plain', Buffer.from('text'))).toMatch(
        /^“notes.txt” is no picture/,
      );
      expect(await refusal('half.png', 'image/png', png().subarray(0, 30))).toMatch(/is damaged/);
      expect(await refusal('a.heic', 'image/heic', Buffer.from('heic'))).toMatch(/HEIC, which this browser/);
      const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>');
      expect(await refusal('drawing.svg', 'image/svg+xml', svg)).toMatch(/without pixels \(SVG\)/);
      await page.evaluate(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(100e6 + 1)], 'huge.jpg', { type: 'image/jpeg' }));
        const drop = new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true });
        document.querySelector('[data-slot=content]')?.dispatchEvent(drop);
      });
      await expect
        .poll(() => text(page, '[role=alert] p'), { timeout: 10_000 })
        .toMatch(/“huge.jpg” has more than 100 MB/);
      expect(await page.locator('[data-slot=content] .drop img').getAttribute('src')).toBe(before);
      await photograph(page, 'refused');
      await page.click('[role=alert] button');
      expect(await page.locator('[role=alert]').count()).toBe(0);
    });
  });
});

describe('VGG-19', () => {
  it.skipIf(!hasShared('vgg19'))('is fetched beside the page, kept, and paints', async () => {
    await visit('#size=64&steps=5', {}, async ({ page, requests }) => {
      let release = () => {};
      const rest = new Promise<void>((resolve) => {
        release = resolve;
      });
      await page.route(mirror, async (route) => {
        const file = basename(new URL(route.request().url()).pathname);
        // Progress is reported at most ten times a second.
        await new Promise((resolve) => setTimeout(resolve, 120));
        if (file.startsWith('group4')) await rest;
        const headers = { 'Access-Control-Allow-Origin': '*' };
        await route.fulfill({ path: shared(`vgg19/${file}`), headers });
      });
      await page.click('#fetch');
      await page.waitForFunction(
        () => (document.querySelector('#fetched') as HTMLProgressElement).value > 0.1,
      );
      await photograph(page, 'fetching');
      // The embedded network paints meanwhile.
      await paint(page);
      expect(await text(page, '#caption')).toMatch(/built-in/);
      release();
      await page.waitForSelector('#fetch', { state: 'hidden' });
      expect(await page.isChecked('input[value=vgg19]')).toBe(true);
      await paint(page);
      expect(await text(page, '#caption')).toMatch(/^Painted with VGG-19/);
      expect((await readSettingsRecord(await downloaded(page))).network.embedded).toBe(false);
      await photograph(page, 'vgg19');

      // The next visit has it.
      await page.unroute(mirror);
      const fetched = requests.filter((url) => url.includes('githubusercontent')).length;
      await page.reload();
      await page.waitForSelector('#fetch', { state: 'hidden' });
      expect(requests.filter((url) => url.includes('githubusercontent'))).toHaveLength(fetched);
    });
  });

  it('that cannot be fetched is an error that loses nothing; a method that needs it says so', async () => {
    await visit('#size=64&steps=5', {}, async ({ page, errors }) => {
      await page.route(mirror, (route) =>
        route.fulfill({ status: 404, headers: { 'Access-Control-Allow-Origin': '*' } }),
      );
      await page.click('#fetch');
      await page.waitForSelector('[role=alert]');
      expect(await text(page, '[role=alert] p')).toMatch(
        /^VGG-19 could not be fetched; the built-in network/,
      );
      await photograph(page, 'fetch-failed');
      await paint(page);
      await page.selectOption('#preset', 'gatys2016');
      expect(await text(page, '#paint')).toBe('Fetch VGG-19 and paint');
      expect(await text(page, '#fetch')).toBe('Fetch VGG-19 (51.8 MB)');
      expect(await page.isDisabled('input[value=embedded]')).toBe(true);
      // Chromium reports each refused download by itself.
      expect(errors.splice(0).every((message) => /404/.test(message))).toBe(true);
    });
  });
});

describe('everywhere', () => {
  it.each([
    [
      'at the width of a phone',
      'phone',
      { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
    ],
    ['in the dark', 'dark', { colorScheme: 'dark' as const, viewport: { width: 1360, height: 900 } }],
  ])('works %s', async (_, name, options) => {
    await visit('#size=64&steps=5', options, async ({ page }) => {
      await photograph(page, `${name}-ready`);
      await paint(page);
      await page.waitForSelector('tbody tr');
      await photograph(page, `${name}-painted`);
      const [width, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(width).toBeLessThanOrEqual(window);
    });
  });

  it('works by keys alone', async () => {
    await visit('#size=64&steps=300', {}, async ({ page }) => {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('paint');
      await page.keyboard.press('Enter');
      await inState(page, 'painting');
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.id), { timeout: 10_000 })
        .toBe('pause');
      await page.keyboard.press('Enter');
      await inState(page, 'paused');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await inState(page, 'painted');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('paint');
      expect(await text(page, '#announcement')).toBe('Stopped. The picture so far is kept.');
    });
  });

  it('is isolated by its service worker, and works offline after the first visit', async () => {
    const own = await StaticHost.start(folder);
    const context = await browser.newContext();
    context.setDefaultTimeout(90_000);
    try {
      const page = await context.newPage();
      const errors: string[] = [];
      page.on('pageerror', ({ message }) => errors.push(message));
      await page.goto(`${own.url}#size=64&steps=5`);
      await page.waitForFunction(() => crossOriginIsolated);
      await own.stop();
      await page.reload();
      await page.waitForFunction(() => (document.querySelector('#after') as HTMLCanvasElement).width > 16);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      await paint(page);
      const cores = await page.evaluate(() => navigator.hardwareConcurrency);
      if (cores > 1) expect(await text(page, '#machine')).toMatch(/with \d+ threads/);
      await page.waitForSelector('tbody tr');
      expect(errors).toEqual([]);
    } finally {
      await context.close();
      await own.stop().catch(() => {});
    }
  });
});

it('needs at most 150 KB (gzip) of program for the first paint, and no tfjs', async () => {
  await visit('', {}, async ({ page, requests }) => {
    await page.waitForTimeout(500);
    const program = [...new Set(requests)].filter((url) => /\.(js|css)$/.test(url));
    expect(program.length).toBeGreaterThanOrEqual(2);
    const files = program.map((url) => readFileSync(resolve(folder, url.slice(host.url.length))));
    const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
    expect(bytes).toBeLessThanOrEqual(150_000);
    for (const file of files)
      expect(file.toString()).not.toMatch(/backend '\w+' has (not|already) been|Tensor3D/);
  });
});
