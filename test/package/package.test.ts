import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * The package as users get it: packed, installed elsewhere by npm, used by ES modules, CommonJS and as a command. Other
 * programs that use it: toolchains.test.ts.
 */
describe.skipIf(!existsSync('dist/index.js'))('the packed package', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tfjs-style-transfer-'));
    const packed = JSON.parse(
      must('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], resolve('.')),
    );
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
    const version = (name: string) => `${name}@${readVersion(name)}`;
    const peers = [
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-backend-cpu',
    ].map(version);
    must('npm', [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(folder, packed[0].filename),
      ...peers,
    ]);
    const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 31) & 255);
    await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } })
      .blur(2)
      .toFile(join(folder, 'picture.png'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function must(program: string, words: readonly string[], cwd = folder): string {
    const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}\n${stdout}`);
    return stdout;
  }

  /** Runs a program there; it may print nothing but what `print` prints. */
  function node(file: string, code: string): string {
    writeFileSync(join(folder, file), code);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout.trim();
  }

  const subpaths = [
    '',
    '/node',
    '/generators',
    '/batch',
    '/video',
    '/losses',
    '/metrics',
    '/optim',
    '/testing',
    '/embedded',
    '/color',
  ];

  const inLosses = `m${subpaths.indexOf('/losses')}`;
  const [inAll, inNode] = ['m0', 'm1'];
  const check = `try { ${inLosses}.weighted(-1, {}); } catch (error) {
    console.log(error instanceof ${inAll}.InvalidArgumentError, Object.keys(${inNode}).includes('readImage')); }`;

  it('is imported as ES modules, one class of error across subpaths', () => {
    const imports = subpaths
      .map((path, i) => `import * as m${i} from 'tfjs-style-transfer${path}';`)
      .join('\n');
    const code = `${imports}\n${check}`;
    expect(node('esm.mjs', code)).toBe('true true');
  });

  it('is required as CommonJS, one class of error across subpaths', () => {
    const requires = subpaths
      .map((path, i) => `const m${i} = require('tfjs-style-transfer${path}');`)
      .join('\n');
    const code = `${requires}\n${check}`;
    expect(node('cjs.cjs', code)).toBe('true true');
  });

  it.each([
    ['esm', 'transfer.mjs', "import { styleTransfer, useWasm } from 'tfjs-style-transfer/node';"],
    ['cjs', 'transfer.cjs', "const { styleTransfer, useWasm } = require('tfjs-style-transfer/node');"],
  ])('styles a picture with the embedded network from %s, and prints nothing itself', (_, file, head) => {
    const code = `${head}
      (async () => {
        await useWasm();
        const { loss, history, embedded, dispose } = await styleTransfer('picture.png', 'picture.png', 1, 1e6, { init: 'noise', iterations: 5, weights: 'embedded' });
        dispose();
        console.log(loss < history[0].loss, embedded);
      })();`;
    expect(node(file, code)).toBe('true true');
  });

  it.each([
    ['esm', 'svg.mjs', "import { readImage, useWasm } from 'tfjs-style-transfer/node';"],
    ['cjs', 'svg.cjs', "const { readImage, useWasm } = require('tfjs-style-transfer/node');"],
  ])('draws an SVG in a process of its own from %s', (_, file, head) => {
    const code = `${head}
      (async () => {
        await useWasm();
        const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>';
        console.log((await readImage(new Blob([svg]))).shape.join());
      })();`;
    expect(node(file, code)).toBe('3,4,3');
  });

  it('is a command', () => {
    const out = must('npx', [
      'tfjs-style-transfer',
      'picture.png',
      'picture.png',
      '-o',
      'out.png',
      '--init',
      'noise',
      '--iterations',
      '3',
      '--weights',
      'embedded',
      '--json',
    ]);
    expect(JSON.parse(out)).toMatchObject({ embedded: true, iterations: 3 });
    expect(existsSync(join(folder, 'out.png'))).toBe(true);
  });

  it('says what to install for a queue', () => {
    const words = ['tfjs-style-transfer', 'work', '--queue', 'redis://localhost/pictures'];
    const { status, stderr } = spawnSync('npx', words, { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe(
      'error: A queue needs the packages bullmq and ioredis, which are not installed: npm install bullmq ioredis\n',
    );
    expect(status).toBe(1);
  });

  it('keeps Node out of what pages load, and is quiet', () => {
    const dist = join(folder, 'node_modules/tfjs-style-transfer/dist');
    const reachable = new Set<string>();
    const visit = (file: string): void => {
      if (reachable.has(file)) return;
      reachable.add(file);
      for (const [, found] of readFileSync(join(dist, file), 'utf8').matchAll(
        /(?:from|import)\s*"\.\/([^"]+)"/g,
      ))
        visit(found);
    };
    const entries = ['index', 'worker', 'color', 'losses', 'metrics', 'optim', 'testing'];
    for (const entry of entries) visit(`${entry}.js`);
    for (const file of reachable) {
      const code = readFileSync(join(dist, file), 'utf8');
      expect(code, file).not.toMatch(/(?:from|import)\s*"node:/);
      expect(code, file).not.toMatch(/from\s*"sharp"/);
    }
    // The command prints, and the last two hold tfjs itself.
    const others = ['cli.js', 'page.js', 'style-worker.js'];
    const library = readdirSync(dist).filter((file) => /\.(js|cjs)$/.test(file) && !others.includes(file));
    for (const file of library)
      expect(readFileSync(join(dist, file), 'utf8'), file).not.toMatch(/\bconsole\.(log|warn|error|info)\(/);
  });
});

function readVersion(name: string): string {
  return (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string })
    .version;
}
