import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly engines: { readonly node: string };
};
const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const node = (version: string) => `npm:node-${platform}@${version}`;

/**
 * Programs that the packed package is tried with, which are none of its dependencies: the name that each is installed
 * by, and what npm installs. The packages `node-<platform>` are the programs of Node's releases.
 */
export const programs = {
  // The lowest that package.json promises.
  'node-lowest': node(/[\d.]+/.exec(engines.node)?.[0] ?? '20'),
  'node-22': node('22'),
  'node-24': node('24'),
  'node-newest': node('latest'),
  bun: '1',
  deno: '2',
  'typescript-5.4': 'npm:typescript@5.4',
  'typescript-newest': 'npm:typescript@latest',
  vite: '8',
  webpack: '5',
  rollup: '4',
  '@rollup/plugin-commonjs': 'latest',
  '@rollup/plugin-node-resolve': 'latest',
  esbuild: 'latest',
  next: '16',
  react: '19',
  'react-dom': '19',
} as const satisfies Readonly<Record<string, string>>;

/** The folder that they are installed in, which git ignores. */
export const programsFolder = resolve(fileURLToPath(new URL('../build/programs', import.meta.url)));

/** Path of a file of a program, or undefined if the program is not installed. */
export function programFile(name: keyof typeof programs, file: string): string | undefined {
  const path = join(programsFolder, 'node_modules', name, file);
  return existsSync(path) ? path : undefined;
}

/** Installs all of them, once: a second call with the same list does nothing. */
function installPrograms(): void {
  const list = join(programsFolder, 'package.json');
  const wanted = `${JSON.stringify({ name: 'programs', private: true, dependencies: programs }, undefined, 2)}\n`;
  const installed = join(programsFolder, 'installed.json');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return;
  mkdirSync(programsFolder, { recursive: true });
  writeFileSync(list, wanted);
  const words = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stderr } = spawnSync('npm', words, {
    cwd: programsFolder,
    encoding: 'utf8',
    timeout: 10 * 60_000,
  });
  if (status === 0) writeFileSync(installed, wanted);
  else
    console.error(
      `${stderr}Other runtimes, compilers and bundlers could not be installed into ${programsFolder}: the tests under ` +
        'them are skipped.',
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPrograms();
