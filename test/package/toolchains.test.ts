import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programFile, type programs, programsFolder } from '../../scripts/programs';
import { isolated } from '../support/chromium-pages';

/**
 * The packed package under other runtimes, compilers and bundlers, which `tsx scripts/programs.ts` installs into
 * build/programs. The project of a user lies beside them.
 */
const folder = join(programsFolder, 'consumer');
const built = existsSync('dist/index.js') && existsSync('dist/worker.js');
const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const several = availableParallelism() > 1;

/** Those of a table whose program is there; says which is not. */
function installed<T extends { readonly program: keyof typeof programs; readonly file: string }>(
  cases: readonly T[],
): (T & { readonly path: string })[] {
  return cases.flatMap((one) => {
    const path = programFile(one.program, one.file);
    if (path) return [{ ...one, path }];
    console.warn(`skipped: the package with ${one.program} (npx tsx scripts/programs.ts installs it)`);
    return [];
  });
}

const runtimes = installed([
  { program: 'node-lowest', file: 'bin/node', words: [] },
  { program: 'node-22', file: 'bin/node', words: [] },
  { program: 'node-24', file: 'bin/node', words: [] },
  { program: 'node-newest', file: 'bin/node', words: [] },
  { program: 'bun', file: '../.bin/bun', words: [] },
  { program: 'deno', file: '../.bin/deno', words: ['run', '--allow-all'] },
]);

/** How a compiler finds declarations; `node10` looks for files of `typesVersions`, and is gone from TypeScript 7. */
const resolutions = [
  { resolution: 'node10', module: 'CommonJS', file: 'consumer.ts' },
  { resolution: 'node16', module: 'Node16', file: 'consumer.mts' },
  { resolution: 'nodenext', module: 'NodeNext', file: 'consumer.cts' },
  { resolution: 'bundler', module: 'ESNext', file: 'consumer.ts' },
] as const;
const compilers = [
  { program: 'typescript', path: resolve('node_modules/typescript/bin/tsc') },
  ...installed([
    { program: 'typescript-5.4', file: 'bin/tsc' },
    { program: 'typescript-newest', file: 'bin/tsc' },
  ]),
].flatMap((compiler) =>
  resolutions
    .filter(({ resolution }) => resolution !== 'node10' || compiler.program !== 'typescript-newest')
    .map((resolution) => ({ ...compiler, ...resolution })),
);

const bundlers = existsSync(chromiumPath)
  ? installed([
      { program: 'vite', file: 'package.json' },
      { program: 'webpack', file: 'package.json' },
      { program: 'rollup', file: 'package.json' },
      { program: 'esbuild', file: 'package.json' },
    ])
  : [];
const next = existsSync(chromiumPath) ? installed([{ program: 'next', file: 'dist/bin/next' }]) : [];
if (!existsSync(chromiumPath)) console.warn('skipped: pages of bundlers (no Chromium)');

describe.skipIf(!built)('the packed package with other programs', () => {
  /** Loss of the same small run in this Node: every other place has to come to its bits. */
  let loss: number;

  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync('test/package/toolchains', folder, { recursive: true });
    for (const kind of ['mts', 'cts']) cpSync(join(folder, 'consumer.ts'), join(folder, `consumer.${kind}`));
    const [{ filename }] = JSON.parse(
      must('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], resolve('.')),
    );
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
    );
    const version = (name: string) =>
      JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
    const others = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm', '@types/node'];
    must('npm', [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(folder, filename),
      ...others.map((name) => `${name}@${version(name)}`),
    ]);
    loss = Number(must(process.execPath, ['run.mjs']).split(' ')[0]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function must(program: string, words: readonly string[], cwd = folder): string {
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_OPTIONS: '' };
    const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8', env });
    if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}\n${stdout}`);
    return stdout;
  }

  it.each(runtimes)('paints with the same bits under $program', ({ path, words }) => {
    expect(must(path, [...words, 'run.mjs']).trim()).toBe(`${loss} wasm ${several}`);
  });

  it.each(runtimes)('is a command under $program, with threads of either engine', ({ path, words }) => {
    const picture = resolve('examples/images/content.jpg');
    const command = ['node_modules/tfjs-style-transfer/dist/cli.js', picture, picture, '-o', 'out.png'];
    const options = [
      '--size',
      '32',
      '--iterations',
      '1',
      '--weights',
      'embedded',
      '--threads',
      '2',
      '--json',
    ];
    for (const engine of ['wasm', 'tfjs']) {
      const lines = must(path, [...words, ...command, ...options, '--engine', engine])
        .trim()
        .split('\n');
      expect(JSON.parse(lines[lines.length - 1])).toMatchObject({ engine, threads: 2 });
    }
  });

  it.each(runtimes.filter(({ program }) => program === 'deno'))(
    'asks $program for no permission when it is imported',
    ({ path }) => {
      writeFileSync(
        join(folder, 'import.mjs'),
        "import 'tfjs-style-transfer/node'; console.log('imported');",
      );
      expect(must(path, ['run', '--no-prompt', 'import.mjs']).trim()).toBe('imported');
    },
  );

  it.each(compilers)(
    'has types for $program, resolution $resolution',
    ({ path, resolution, module, file }) => {
      const compilerOptions = {
        target: 'ES2022',
        module,
        moduleResolution: resolution,
        types: ['node'],
        strict: true,
        skipLibCheck: true,
        noEmit: true,
      };
      const project = join(folder, `tsconfig-${resolution}.json`);
      writeFileSync(project, JSON.stringify({ compilerOptions, files: [file] }));
      must(process.execPath, [path, '-p', project]);
    },
  );

  describe.skipIf(bundlers.length + next.length === 0)('in a page', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
    });
    afterAll(() => browser?.close());

    /** Opens the page of the program and waits for its report. */
    async function report(url: string): Promise<unknown> {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      try {
        await page.goto(url);
        await page.waitForFunction('globalThis.report', undefined, { timeout: 30_000 });
        return await page.evaluate('globalThis.report');
      } catch (error) {
        throw new Error(`${error}\n${faults.join('\n')}`);
      } finally {
        await page.close();
      }
    }

    /** What a page reports, isolated or not: the same picture, on threads where memory can be shared. */
    const expected = (isIsolated: boolean) => {
      const threads = isIsolated && several ? expect.toSatisfy((count: number) => count > 1) : 1;
      const run = { engine: 'wasm', backend: 'wasm', threads, loss };
      return { isolated: isIsolated, page: run, worker: run };
    };

    it.each(bundlers)('built by $program, isolated and not', async ({ program }) => {
      must(process.execPath, ['bundle.mjs', program, `out/${program}`]);
      for (const headers of [{}, isolated]) {
        const server = await serve(join(folder, 'out', program), headers);
        const { port } = server.address() as AddressInfo;
        try {
          expect(await report(`http://127.0.0.1:${port}/index.html`)).toEqual(expected(headers === isolated));
        } finally {
          server.close();
        }
      }
    });

    it.each(next)('built by $program, isolated and not, and in its route handler', async ({ path }) => {
      must(process.execPath, [path, 'build', 'next']);
      const { url, server } = await startNext(path);
      try {
        expect(await report(url)).toEqual(expected(false));
        expect(await report(`${url}/isolated`)).toEqual(expected(true));
        const photo = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#804020' } })
          .png()
          .toBuffer();
        const response = await fetch(`${url}/paint`, { method: 'POST', body: new Uint8Array(photo) });
        expect(response.status).toBe(200);
        const { width, height } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
        expect([width, height]).toEqual([32, 24]);
      } finally {
        server.kill();
      }
    });

    async function startNext(path: string): Promise<{ url: string; server: ChildProcess }> {
      const server = spawn(process.execPath, [path, 'start', 'next', '--port', '0'], { cwd: folder });
      const url = await new Promise<string>((found, failed) => {
        let said = '';
        const hear = (text: Buffer) => {
          said += text;
          const match = /http:\/\/localhost:\d+/.exec(said);
          if (match) found(match[0]);
        };
        server.stdout.on('data', hear);
        server.stderr.on('data', hear);
        server.on('exit', (code) => failed(new Error(`next start ended with ${code}: ${said}`)));
      });
      return { url, server };
    }
  });
});

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** Serves the files of a folder with headers. */
async function serve(root: string, headers: Readonly<Record<string, string>>): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const path = join(root, new URL(url, 'http://localhost').pathname);
    const contentType = types[extname(path)] ?? 'application/octet-stream';
    const found = existsSync(path);
    response.writeHead(found ? 200 : 404, { ...headers, 'Content-Type': contentType });
    response.end(found ? readFileSync(path) : undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}
