import { mkdir, writeFile } from 'node:fs/promises';
import { bundledText, pageBuild } from './bundled-text.ts';

/**
 * Writes the parts of the worker's program as modules that export their text, which `dist/worker.js` loads when a
 * worker starts, and `dist/style-worker.js`, the same as one script with the backends wasm and cpu, for pages that
 * serve it themselves. Then `dist/page.js`, the library for pages without a bundler.
 */
const names = ['core', 'main', 'backend-wasm', 'backend-cpu', 'backend-webgl', 'backend-webgpu'] as const;
const texts = Object.fromEntries(
  await Promise.all(
    names.map(async (name) => [name, await bundledText(`src/worker/program/${name}.ts`)] as const),
  ),
) as Record<(typeof names)[number], string>;

await mkdir('dist/worker', { recursive: true });
for (const [name, text] of Object.entries(texts))
  await writeFile(`dist/worker/${name}.js`, `export default ${JSON.stringify(text)};\n`);

const whole = [texts.core, texts['backend-wasm'], texts['backend-cpu'], texts.main];
await writeFile('dist/style-worker.js', whole.join('\n'));

await writeFile('dist/page.js', await pageBuild());
