import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { compileAssembly } from './compile-assembly';
import { sectionsOf } from './wasm-sections';

const sources = resolve(import.meta.dirname, '../src/engines/wasm');
const outputs = [
  { file: resolve(import.meta.dirname, '../build/kernels.wasm'), relaxed: false },
  { file: resolve(import.meta.dirname, '../build/kernels-relaxed.wasm'), relaxed: true },
];
/** Base64 of the binary is part of the package. */
const largest = (40 * 1024 * 3) / 4;

/**
 * `npm run build:kernels`: compiles src/engines/wasm/assembly to build/kernels.wasm and build/kernels-relaxed.wasm,
 * which src/engines/wasm/runtime/kernels.ts inlines, unless they are newer than every source. A module may have neither
 * data nor a start function: instances of several threads share one memory, which a second one would overwrite.
 */
export async function buildKernels(): Promise<void> {
  const newest = Math.max(
    ...[
      ...readdirSync(sources, { recursive: true, encoding: 'utf8' })
        .filter((name) => /assembly.*\.ts$/.test(name))
        .map((name) => resolve(sources, name)),
      import.meta.filename,
      resolve(import.meta.dirname, 'compile-assembly.ts'),
    ].map(modified),
  );
  for (const { file, relaxed } of outputs) {
    if (modified(file) >= newest) continue;
    const bytes = await compileAssembly(resolve(sources, 'assembly/index.ts'), relaxed);
    check(bytes);
    mkdirSync(dirname(file), { recursive: true });
    // By rename, so that a test that starts meanwhile never reads half a file.
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
  }
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
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
