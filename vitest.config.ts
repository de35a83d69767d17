import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { binaryModules } from './scripts/binary-modules.ts';

/** The system's Chromium; nothing is downloaded for tests. */
const chromium = [process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'].find((path) => existsSync(path));
if (!chromium) console.warn('skipped: browser tests (no Chromium; install it or set CHROMIUM_PATH)');

const node = {
  plugins: [binaryModules()],
  test: {
    name: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**'],
    // Generous: real networks on the cpu backend, on machines that do other things too.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
};

const browser = {
  plugins: [binaryModules()],
  // What tests import first is compiled before they start; otherwise the page reloads in the middle of them.
  optimizeDeps: {
    include: [
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-backend-webgl',
      '@tensorflow/tfjs-backend-webgpu',
    ],
  },
  // Cross-origin isolation, which shared memory and so threads need.
  server: {
    headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
  },
  test: {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: chromium,
          // Software rendering: WebGL works as it is, WebGPU by these flags.
          args: [
            '--no-sandbox',
            '--enable-unsafe-webgpu',
            '--enable-features=Vulkan',
            '--use-webgpu-adapter=swiftshader',
          ],
        },
      }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
};

export default defineConfig({ test: { projects: chromium ? [node, browser] : [node] } });
