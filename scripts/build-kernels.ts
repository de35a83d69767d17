import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { compileAssembly } from './compile-assembly';
import { sectionsOf } from './wasm-sections';

/**
 * `npm run build:kernels`: compiles src/engines/wasm/assembly to build/kernels.wasm and build/kernels-relaxed.wasm, which
 * src/engines/wasm/runtime/kernels.ts inlines.
 * It may have neither data nor a start function: instances of several threads share one memory, which a second one would overwrite.
 */
const sources = resolve(import.meta.dirname, '../src/engines/wasm');
const outputs = [
  { file: resolve(import.meta.dirname, '../build/kernels.wasm'), relaxed: false },
  { file: resolve(import.meta.dirname, '../build/kernels-relaxed.wasm'), relaxed: true },
];
/** Base64 of the binary is part of the package. */
const largest = (40 * 1024 * 3) / 4;

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
  writeFileSync(file, bytes);
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
