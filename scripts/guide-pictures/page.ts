import { basename, resolve } from 'node:path';
import { chromium } from 'playwright';
import sharp, { type Sharp } from 'sharp';
import { buildDemoPage, StaticHost } from '../demo-page.ts';

const folder = resolve(import.meta.dirname, '../../build/demo-page');

/**
 * The page of examples/web with a painted picture, in the system's Chromium (CHROMIUM_PATH): by VGG-19 where
 * TFJS_STYLE_TRANSFER_WEIGHTS names a folder of it, else by the embedded network.
 */
export async function page(): Promise<Sharp> {
  await buildDemoPage(folder);
  const host = await StaticHost.start(folder);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const opened = await browser.newPage({
      viewport: { width: 1280, height: 1420 },
    });
    opened.setDefaultTimeout(300_000);
    await opened.goto(`${host.url}#size=384&steps=60`);
    // By the service worker, for threads.
    await opened.waitForFunction(() => crossOriginIsolated);
    const weights = process.env.TFJS_STYLE_TRANSFER_WEIGHTS;
    if (weights) {
      await opened.route('https://raw.githubusercontent.com/**', (route) =>
        route.fulfill({
          path: resolve(weights, basename(new URL(route.request().url()).pathname)),
          headers: { 'Access-Control-Allow-Origin': '*' },
        }),
      );
      await opened.click('#fetch');
      await opened.waitForSelector('#fetch', { state: 'hidden' });
    }
    await opened.click('#paint');
    await opened.waitForSelector('tbody tr');
    await opened.locator('#split').fill('38');
    await opened.mouse.move(0, 0);
    return sharp(await opened.screenshot()).resize(900);
  } finally {
    await browser.close();
    await host.stop();
  }
}
