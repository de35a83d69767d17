import { defineConfig } from 'tsup';

/** Entry points of the package. */
const subpaths = {
  index: 'src/index.ts',
  node: 'src/node/index.ts',
  batch: 'src/batch/index.ts',
  color: 'src/color/index.ts',
  generators: 'src/generators/index.ts',
  losses: 'src/losses/index.ts',
  metrics: 'src/metrics/index.ts',
  optim: 'src/optim/index.ts',
  testing: 'src/testing/index.ts',
  video: 'src/video/index.ts',
  worker: 'src/worker/index.ts',
  embedded: 'src/features/vgg19/embedded/index.ts',
};

/** No subpaths of the package: names of their own so that what loads them lazily can be told from what does not. */
const lazyParts = {
  kernels: 'src/engines/wasm/index.ts',
  'pool-worker': 'src/batch/pool/pool-worker.ts',
  'tfjs-extractor': 'src/engines/tfjs/tfjs-extractor.ts',
  balance: 'src/transfer/balance.ts',
  'moved-colors': 'src/transfer/moved-colors.ts',
  'own-base': 'src/generators/base/index.ts',
  'record-run': 'src/transfer/record-run.ts',
  replay: 'src/transfer/replay.ts',
  'tfjs-wasm-simd': 'src/backends/tfjs-wasm-simd.ts',
  'use-wasm': 'src/backends/use-wasm.ts',
  'style-statistics': 'src/transfer/style-statistics.ts',
  'webgpu-extractor': 'src/engines/webgpu/webgpu-extractor.ts',
};

/** The parts of the worker's program, which `scripts/build-worker.ts` writes: modules of their own in both formats. */
const workerTexts = {
  name: 'worker-texts',
  setup({
    onResolve,
  }: {
    onResolve: (on: { filter: RegExp }, to: (args: { path: string }) => object) => void;
  }) {
    onResolve({ filter: /\?bundle$/ }, ({ path }) => ({
      path: `./worker/${path.replace(/^.*\//, '').replace('.ts?bundle', '.js')}`,
      external: true,
    }));
  },
};

const shared = defineConfig({
  esbuildPlugins: [workerTexts],
  // Neither Node nor browser: nothing is polyfilled, and binary files are decoded with what both have.
  platform: 'neutral',
  target: 'es2022',
  external: [/^node:/, /^@tensorflow\//, 'sharp'],
  // The binary of tfjs' wasm backend, which is inlined.
  noExternal: [/\.wasm$/],
  loader: { '.bin': 'binary', '.wasm': 'binary' },
  splitting: true,
  sourcemap: true,
  treeshake: false,
});

const entry = { ...subpaths, ...lazyParts };

export default defineConfig([
  // Declarations of CommonJS are copies of these (scripts/copy-types.ts). The CLI is a program: an ES module only.
  { ...shared, entry: { ...entry, cli: 'src/cli/main.ts' }, format: 'esm', dts: { entry: subpaths } },
  // createRequire takes either; CommonJS has no import.meta.
  { ...shared, entry, format: 'cjs', define: { 'import.meta.url': '__filename' } },
]);
