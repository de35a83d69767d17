import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { transform } from 'esbuild';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileAssembly } from '../../scripts/compile-assembly';
import { sectionsOf } from '../../scripts/wasm-sections';
import { samples } from './samples';

/**
 * Runs the samples of README and guides unchanged, against the built package, in a folder with a small photo.jpg,
 * painting.jpg and out.png, and small ONNX files. The folder lies inside the repository, where the package finds itself
 * by its own name. `ts page` needs a browser and `ts network` a download: both are only checked for types. `ts source`
 * is run over the sources, and `ts assembly` compiled as a kernel. Of shell blocks, the lines that call
 * `npx tfjs-style-transfer` are run, but for those that download.
 */
const folder = resolve('build/samples');
const built = existsSync('dist/cli.js');
const all = samples();
const programs = all.filter(({ language }) => language === 'ts');
const typed = all.filter(({ language }) => language === 'ts page' || language === 'ts network');
const overSources = all.filter(({ language }) => language === 'ts source');
const kernels = all.filter(({ language }) => language === 'ts assembly');
const commands = all
  .filter(({ language }) => language === 'sh' || language === 'bash')
  .flatMap(({ file, line, code }) =>
    code.split('\n').map((command, i) => ({ file, line: line + i, command })),
  )
  .filter(
    ({ command }) =>
      command.startsWith('npx tfjs-style-transfer') &&
      !/weights (fetch|verify|convert vgg19)|https?:/.test(command),
  )
  // A line that stands in several places is run where it stands first.
  .filter(({ command }, i, lines) => lines.findIndex((line) => line.command === command) === i);

describe.skipIf(!built)('samples of README and guides', () => {
  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [i, name] of ['photo.jpg', 'painting.jpg', 'out.png'].entries()) {
      const pixels = Uint8Array.from(
        { length: 48 * 48 * 3 },
        (_, k) => (k * (7 + 13 * i) + ((k * k) >> 5)) & 255,
      );
      await sharp(pixels, { raw: { width: 48, height: 48, channels: 3 } })
        .blur(1.5)
        .toFile(`${folder}/${name}`);
    }
    for (const [name, of] of [
      ['candy', 'fast-neural-style'],
      ['transform', 'conditional'],
      ['predict', 'predictor'],
    ])
      copyFileSync(`test/reference/onnx/${of}.onnx`, `${folder}/${name}.onnx`);
    for (const [i, { code }] of [...programs, ...typed].entries())
      writeFileSync(`${folder}/sample-${i}.ts`, `${code}\nexport {};\n`);
    // Without its types, so that no process needs a compiler.
    for (const [i, { code }] of programs.entries()) {
      const program = await transform(code, { loader: 'ts', format: 'esm', target: 'node20' });
      writeFileSync(`${folder}/sample-${i}.mjs`, program.code);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are there', () => {
    expect(programs.length).toBeGreaterThanOrEqual(4);
    expect(commands.length).toBeGreaterThanOrEqual(2);
  });

  it('have right types', () => {
    writeFileSync(
      `${folder}/tsconfig.json`,
      JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          module: 'ESNext',
          moduleResolution: 'Bundler',
          lib: ['ES2023', 'DOM', 'DOM.Iterable'],
          types: ['node'],
          strict: true,
          noEmit: true,
          skipLibCheck: true,
        },
        include: ['*.ts'],
      }),
    );
    const { stdout, status } = spawnSync('npx', ['tsc', '-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it.each(programs.map((sample, i) => ({ ...sample, i })))('$file:$line runs', ({ i }) => {
    run(process.execPath, [`sample-${i}.mjs`]);
  });

  it.each(overSources.map((sample, i) => ({ ...sample, i })))(
    '$file:$line runs over the sources',
    ({ i, code }) => {
      writeFileSync(`${folder}/source-${i}.ts`, code);
      run(process.execPath, [
        '--import',
        resolve('scripts/binary-hooks.mjs'),
        '--import',
        'tsx',
        `source-${i}.ts`,
      ]);
    },
  );

  it.each(kernels)('$file:$line compiles, without data or a start function', async ({ code }) => {
    writeFileSync(`${folder}/kernel.ts`, code);
    const sections = sectionsOf(await compileAssembly('build/samples/kernel.ts'));
    expect([sections.has('data'), sections.has('start')]).toEqual([false, false]);
  });

  it.each(commands)('$file:$line $command', ({ command }) => {
    // A training takes minutes; three steps of it go the same way.
    const shorter = command.startsWith('npx tfjs-style-transfer train') ? ['--steps', '3'] : [];
    // Words as a shell reads them: patterns of files stand in quotes.
    const words = (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));
    run(process.execPath, [resolve('dist/cli.js'), ...words.slice(2), ...shorter]);
  });
});

function run(program: string, words: readonly string[]): void {
  const env = { ...process.env, TFJS_STYLE_TRANSFER_WEIGHTS: 'embedded' };
  const { status, stderr } = spawnSync(program, words, { cwd: folder, encoding: 'utf8', env });
  expect(stderr).not.toMatch(/Error|Assertion failed/);
  expect(status).toBe(0);
}
