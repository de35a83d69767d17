import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import asc from 'assemblyscript/asc';

/**
 * `npm run build:kernels`: compiles src/kernels/assembly to build/kernels.wasm, which src/kernels/kernels.ts inlines, and build/kernels-relaxed.wasm.
 * Both may have neither data nor a start function: instances of several threads share one memory, which a second one would overwrite.
 */
const sources = resolve(import.meta.dirname, '../src/kernels/assembly');
const outputs = [
  { file: resolve(import.meta.dirname, '../build/kernels.wasm'), features: 'simd,bulk-memory' },
];
/** Base64 of the binary is part of the package. */
const largest = (40 * 1024 * 3) / 4;

const newest = Math.max(
  ...[...readdirSync(sources).map((name) => resolve(sources, name)), import.meta.filename].map(modified),
);
for (const { file, features } of outputs) {
  if (modified(file) >= newest) continue;
  mkdirSync(dirname(file), { recursive: true });
  // `--maximumMemory` is needed for a memory that threads share; the loader chooses whether it is.
  const options = [
    '--enable',
    features,
    '-O3',
    '--runtime',
    'stub',
    '--importMemory',
    '--maximumMemory',
    '65536',
    '--noAssert',
    '--disableWarning',
    '112',
  ];
  const { error, stderr } = await asc.main([resolve(sources, 'index.ts'), ...options, '--outFile', file]);
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  check(file);
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function check(file: string): void {
  const bytes = readFileSync(file);
  const sections = sectionsOf(bytes);
  const problems = [
    ...(sections.includes(8) ? ['has a start function'] : []),
    ...(sections.includes(11) || sections.includes(12) ? ['has data'] : []),
    ...(bytes.length > largest ? [`has ${bytes.length} bytes, more than ${largest}`] : []),
  ];
  if (problems.length === 0) return;
  writeFileSync(`${file}.rejected`, bytes);
  throw new Error(`${file} ${problems.join(' and ')}`);
}

/** The ids of a module's sections (WebAssembly core specification, 5.5.2). */
function sectionsOf(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]);
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
  }
  return ids;
}
