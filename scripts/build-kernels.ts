import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { sectionsOf } from './wasm-sections';

const sources = resolve(import.meta.dirname, '../src/engines/wasm');
const build = resolve(import.meta.dirname, '../build');
const outputs = [
  { file: resolve(build, 'kernels.wasm'), entry: 'assembly/index.ts', relaxed: false },
  { file: resolve(build, 'kernels-relaxed.wasm'), entry: 'assembly/index.ts', relaxed: true },
  { file: resolve(build, 'flow.wasm'), entry: 'flow/assembly/index.ts', relaxed: false },
];
/** Base64 of the binary is part of the package. */
const largest = (64 * 1024 * 3) / 4;

/**
 * `npm run build:kernels`: compiles src/engines/wasm/assembly to build/kernels.wasm and build/kernels-relaxed.wasm,
 * which src/engines/wasm/runtime/kernels.ts inlines, and the kernels of optical flow to build/flow.wasm, unless they
 * were made of the same sources. These are told by their hash, which lies beside a module: copies and other branches
 * change times. A module may have neither data nor a start function: instances of several threads share one memory,
 * which a second one would overwrite.
 */
export async function buildKernels(): Promise<void> {
  const made = hashOf([
    ...readdirSync(sources, { recursive: true, encoding: 'utf8' })
      .filter((name) => /assembly.*\.ts$/.test(name))
      .sort()
      .map((name) => resolve(sources, name)),
    import.meta.filename,
    resolve(import.meta.dirname, 'compile-assembly.ts'),
  ]);
  for (const { file, entry, relaxed } of outputs) {
    const note = `${file}.sources`;
    if (existsSync(file) && existsSync(note) && readFileSync(note, 'utf8') === made) continue;
    // Loaded only where it compiles: the compiler takes seconds to load.
    const { compileAssembly } = await import('./compile-assembly');
    const bytes = await compileAssembly(resolve(sources, entry), relaxed);
    check(bytes);
    mkdirSync(dirname(file), { recursive: true });
    // By rename, so that a test that starts meanwhile never reads half a file.
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
    writeFileSync(note, made);
  }
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function check(bytes: Uint8Array): void {
  const sections = sectionsOf(bytes);
  const problems = [
    ...(sections.has('start') ? ['has a start function'] : []),
    ...(sections.has('data') ? ['has data'] : []),
    ...(bytes.length > largest ? [`has ${bytes.length} bytes, more than ${largest}`] : []),
  ];
  if (problems.length > 0) throw new Error(`The module of the kernels ${problems.join(' and ')}.`);
}

if (process.argv[1] === import.meta.filename) await buildKernels();
