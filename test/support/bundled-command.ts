import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { afterAll } from 'vitest';
import { bundledTextsInEsbuild } from '../../scripts/bundled-text';

const require = createRequire(import.meta.url);
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * Bundles the command and its worker program from the sources, so that a process of it starts in a moment.
 *
 * @returns the folder, inside of the repository, and the path of the program
 */
export async function bundleCommand(): Promise<{ readonly folder: string; readonly program: string }> {
  const folder = await bundlePrograms({
    entryPoints: { main: 'src/cli/main.ts', 'pool-worker': 'src/batch/pool/pool-worker.ts' },
  });
  return { folder, program: join(folder, 'main.js') };
}

/**
 * Bundles a program that is given as text and imports sources by their paths from the root of the repository.
 *
 * @returns the path of the program
 */
export async function bundleText(contents: string): Promise<string> {
  const folder = await bundlePrograms({ stdin: { contents, resolveDir: resolve('.'), loader: 'ts' } });
  return join(folder, 'stdin.js');
}

/**
 * Bundles programs of this repository: Node starts one in a third of a second, where tsx, which compiles and links
 * hundreds of files, takes two.
 *
 * @returns the folder, inside of the repository, so that packages are found; it is removed after the last test
 */
export async function bundlePrograms(programs: Pick<BuildOptions, 'entryPoints' | 'stdin'>): Promise<string> {
  mkdirSync('build', { recursive: true });
  const folder = mkdtempSync(resolve('build/command-'));
  folders.push(folder);
  await build({
    ...programs,
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
  return folder;
}
