import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { binaryModules } from './scripts/binary-modules.ts';
import { bundledTexts } from './scripts/bundled-text.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/** The system's Chromium; nothing is downloaded for tests. */
const chromium = [process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'].find((path) => existsSync(path));
if (!chromium) console.warn('skipped: browser tests (no Chromium; install it or set CHROMIUM_PATH)');

/** What every project has: kernels are built before the first test, so that one file can be run alone. */
const common = {
  globalSetup: 'test/support/build-kernels.ts',
  // Long enough for a slow machine that does other things too; what hangs fails. Tests with real weights give a limit
  // of their own.
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

/** Tests of the sources in Node. */
const node = {
  plugins: [binaryModules(), bundledTexts()],
  test: {
    ...common,
    name: 'node',
    // The binary of tfjs' wasm backend is inlined, as in the package.
    server: { deps: { inline: [/\.wasm$/] } },
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/pages/**', 'test/package/**', 'test/docs/**', 'test/examples/**'],
  },
};

/**
 * Tests of the built package: installed elsewhere, samples of the documentation, programs of examples/. They need `npm
 * run build`.
 */
const packed = {
  plugins: [binaryModules(), bundledTexts()],
  test: {
    ...common,
    name: 'package',
    include: ['test/package/**/*.test.ts', 'test/docs/**/*.test.ts', 'test/examples/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
};

/** Tests that open pages of their own in Chromium, with headers of their own: policies, isolation, faults. */
const pages = {
  plugins: [binaryModules(), bundledTexts()],
  test: { ...common, name: 'pages', include: ['test/pages/**/*.test.ts'] },
};

/** Suites of contracts, which run in a page once more, on the backends that only pages have. */
const onEveryBackend = [
  'test/engines/tfjs/tfjs-extractor.test.ts',
  'test/engines/tfjs/tfjs-generator.test.ts',
  'test/losses/contract.test.ts',
  'test/metrics/contract.test.ts',
  'test/objective.test.ts',
  'test/optim/tensors.test.ts',
  'test/optim/vector-space.test.ts',
];

const browser = {
  plugins: [binaryModules(), bundledTexts()],
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
    ...common,
    include: ['test/browser/**/*.test.ts', ...onEveryBackend],
    testTimeout: 120_000,
    browser: {
      enabled: true,
      headless: true,
      // One page at a time: beside it run the workers of the other projects.
      fileParallelism: false,
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

export default defineConfig({
  // Many files wait for child processes, servers and pages: a worker a core is faster than vitest's one fewer.
  test: {
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    projects: chromium ? [node, packed, pages, browser] : [node, packed],
  },
});
