import { mkdirSync, mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { bundledTextsInEsbuild } from '../../scripts/bundled-text';

const require = createRequire(import.meta.url);

/**
 * Bundles the command and its worker program from the sources, so that a process of it starts in a moment.
 *
 * @returns the folder, inside of the repository, and the path of the program
 */
export async function bundleCommand(): Promise<{ readonly folder: string; readonly program: string }> {
  mkdirSync('build', { recursive: true });
  const folder = mkdtempSync(resolve('build/command-'));
  await build({
    entryPoints: { main: 'src/cli/main.ts', 'pool-worker': 'src/batch/pool/pool-worker.ts' },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    packages: 'external',
    loader: { '.bin': 'binary', '.wasm': 'binary' },
    plugins: [
      bundledTextsInEsbuild,
      {
        name: 'binary-of-tfjs',
        setup({ onResolve }) {
          onResolve({ filter: /^@tensorflow\/.*\.wasm$/ }, ({ path }) => ({ path: require.resolve(path) }));
        },
      },
    ],
  });
  return { folder, program: join(folder, 'main.js') };
}
