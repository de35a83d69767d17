import { dirname, join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/** The end of an import that gives a module, with all that it imports, as the text of a script. */
const suffix = /\?bundle$/;

/** How scripts for pages are bundled here. */
const pageScript = {
  bundle: true,
  write: false,
  minify: true,
  target: 'es2022',
  platform: 'browser',
  legalComments: 'eof',
  logLevel: 'error',
  loader: { '.bin': 'binary', '.wasm': 'binary' },
} as const satisfies BuildOptions;

/**
 * A part of a worker's program as the text of a classic script. The parts run one after the other in one worker and
 * share tfjs: `core` makes it a global, which stands for `@tensorflow/tfjs-core` in the others.
 *
 * @param file the module's path
 */
export async function bundledText(file: string): Promise<string> {
  const isCore = /[\\/]program[\\/]core\.ts$/.test(file);
  const { outputFiles } = await build({
    ...pageScript,
    entryPoints: [file],
    format: 'iife',
    plugins: isCore ? [] : [sharedCore, withoutWasm],
  });
  return outputFiles[0].text;
}

/** The library for pages without a bundler, one module. */
export async function pageBuild(): Promise<string> {
  const entryPoints = ['src/page/index.ts'];
  const { outputFiles } = await build({ ...pageScript, entryPoints, format: 'esm' });
  return outputFiles[0].text;
}

const sharedCore: Plugin = {
  name: 'shared-core',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, () => ({ path: 'core', namespace: 'shared-core' }));
    onLoad({ filter: /.*/, namespace: 'shared-core' }, () => ({
      contents: 'module.exports = globalThis.tfjsStyleTransferCore;',
    }));
  },
};

/** Leaves out what pages load to start the wasm backend: in a worker it is a script of its own, or not there. */
const withoutWasm: Plugin = {
  name: 'without-wasm',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/use-wasm$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: 'use-wasm', namespace: 'left-out' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'export {};' }));
  },
};

/** Vite plugin: imports that end in `?bundle` give {@link bundledText}. */
export function bundledTexts() {
  return {
    name: 'bundled-texts',
    enforce: 'pre' as const,
    resolveId(id: string, importer: string | undefined) {
      return suffix.test(id) && importer ? resolve(dirname(importer.replace(/\?.*/, '')), id) : null;
    },
    async load(id: string) {
      if (!suffix.test(id)) return null;
      return `export default ${JSON.stringify(await bundledText(id.replace(suffix, '')))};`;
    },
  };
}

/** esbuild plugin: the same, for programs that are bundled from the sources. */
export const bundledTextsInEsbuild: Plugin = {
  name: 'bundled-texts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: suffix }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(suffix, '')),
      namespace: 'bundled-text',
    }));
    onLoad({ filter: /.*/, namespace: 'bundled-text' }, async ({ path }) => ({
      contents: await bundledText(path),
      loader: 'text',
    }));
  },
};
