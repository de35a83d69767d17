/** `node bundle.mjs <bundler> <folder>`: the page of this folder, built by a bundler with what its users write. */
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [bundler, folder] = process.argv.slice(2);
const out = resolve(folder);

const bundlers = {
  async vite() {
    const { build } = await import('vite');
    await build({ configFile: false, base: './', logLevel: 'error', build: { outDir: out } });
  },
  async webpack() {
    const { default: webpack } = await import('webpack');
    const configuration = {
      mode: 'production',
      entry: './page.js',
      output: { path: out, filename: 'page.js' },
    };
    await new Promise((done, failed) =>
      webpack(configuration, (error, stats) =>
        error || stats.hasErrors() ? failed(error ?? new Error(stats.toString('errors-only'))) : done(),
      ),
    );
    copyPage();
  },
  async rollup() {
    const [{ rollup }, { default: commonjs }, { nodeResolve }] = await Promise.all(
      ['rollup', '@rollup/plugin-commonjs', '@rollup/plugin-node-resolve'].map((name) => import(name)),
    );
    const plugins = [nodeResolve({ browser: true }), commonjs()];
    const bundle = await rollup({ input: 'page.js', plugins, logLevel: 'silent' });
    await bundle.write({ dir: out, format: 'es' });
    await bundle.close();
    copyPage();
  },
  async esbuild() {
    const { build } = await import('esbuild');
    await build({
      entryPoints: ['page.js'],
      bundle: true,
      minify: true,
      splitting: true,
      format: 'esm',
      outdir: out,
      logLevel: 'error',
    });
    copyPage();
  },
};

const copyPage = () => cpSync('index.html', join(out, 'index.html'));

await bundlers[bundler]();
