import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { binaryModules } from '../../scripts/binary-modules.ts';
import { bundledTexts } from '../../scripts/bundled-text.ts';

const root = import.meta.dirname;
const source = (path: string) => resolve(root, '../../src', path);

/** Cross-origin isolation, which threads need; elsewhere the service worker adds the same headers. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  root,
  // The page may lie in any folder of a server.
  base: './',
  plugins: [binaryModules(), bundledTexts(), serviceWorkerFiles()],
  worker: { format: 'es', plugins: () => [binaryModules()] },
  resolve: {
    alias: [
      { find: /^tfjs-style-transfer$/, replacement: source('index.ts') },
      { find: /^tfjs-style-transfer\/(.+)$/, replacement: `${source('$1')}/index.ts` },
    ],
  },
  build: {
    target: 'es2022',
    // Pictures and fonts as files of their own, not as text in the program.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      checks: { bundlerTimings: false },
      input: {
        index: resolve(root, 'index.html'),
        'service-worker': resolve(root, 'service-worker/main.ts'),
      },
      output: {
        entryFileNames: ({ name }) =>
          name === 'service-worker' ? 'service-worker.js' : 'assets/[name]-[hash].js',
      },
    },
  },
  server: { headers, fs: { allow: [resolve(root, '../..')] } },
  preview: { headers },
});

/** Tells the service worker which files the page has. */
function serviceWorkerFiles(): Plugin {
  return {
    name: 'service-worker-files',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['service-worker.js'];
      if (worker?.type !== 'chunk') return;
      const files = [
        './',
        ...readdirSync(resolve(root, 'public')).map((file) => `./${file}`),
        ...Object.keys(bundle)
          // The page computes on wasm, or on cpu where that cannot be had.
          .filter((file) => !/^(index\.html|service-worker\.js)$|backend-webg(l|pu)/.test(file))
          .map((file) => `./${file}`),
      ].sort();
      const hash = createHash('sha256');
      for (const part of Object.values(bundle)) hash.update(part.type === 'chunk' ? part.code : part.source);
      const version = hash.digest('hex').slice(0, 12);
      worker.code = `const FILES=${JSON.stringify(files)},VERSION=${JSON.stringify(version)};\n${worker.code}`;
    },
  };
}
