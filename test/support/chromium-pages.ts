import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import { bundledTextsInEsbuild } from '../../scripts/bundled-text';

/** Headers that isolate a page, which shared memory needs. */
export const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const;

/** How {@link ChromiumPages.open} opens a page. */
export interface PageOptions {
  /** Headers of the page: policies, isolation. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Script that runs before those of the page: faults of the platform. */
  readonly before?: string | undefined;
}

/** Exports of a program. */
type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;

/**
 * Pages in the system's Chromium, each with headers of its own, that run one program: a module of this project, bundled
 * and minified for pages. Its exports are the global `program`.
 */
export class ChromiumPages {
  private constructor(
    private readonly browser: Browser,
    private readonly server: Server,
  ) {}

  /**
   * @param program path of the module
   * @param files what the server has beside it, by path
   */
  static async start(
    program: string,
    files: Readonly<Record<string, Uint8Array | string>> = {},
  ): Promise<ChromiumPages> {
    const all = new Map([...Object.entries(files), ...(await bundle(program))]);
    const server = createServer(({ url = '/' }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://localhost');
      const body = pathname === '/page' ? page : all.get(pathname);
      const [extension] = /[^.]*$/.exec(pathname) ?? [];
      const type = (extension && types[extension]) || 'text/html';
      response.writeHead(body === undefined ? 404 : 200, {
        'Content-Type': type,
        ...(pathname === '/page' ? JSON.parse(searchParams.get('headers') ?? '{}') : isolated),
      });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--enable-features=Vulkan',
        '--use-webgpu-adapter=swiftshader',
      ],
    });
    return new ChromiumPages(browser, server);
  }

  /** A page that has loaded the program. It belongs to the caller. */
  async open({ headers = {}, before }: PageOptions = {}): Promise<Page> {
    const page = await this.browser.newPage();
    if (before !== undefined) await page.addInitScript(before);
    const { port } = this.server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/page?headers=${encodeURIComponent(JSON.stringify(headers))}`);
    await page.waitForFunction('globalThis.program');
    return page;
  }

  /** Calls a function of the program, whose type is `Program`, in a page of its own. */
  async call<Program extends Functions, Name extends keyof Program>(
    name: Name,
    args: Parameters<Program[Name]>,
    options?: PageOptions,
  ): Promise<Awaited<ReturnType<Program[Name]>>> {
    const page = await this.open(options);
    try {
      return (await page.evaluate(`program.${String(name)}(...${JSON.stringify(args)})`)) as never;
    } finally {
      await page.close();
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const types: Readonly<Partial<Record<string, string>>> = {
  js: 'text/javascript',
  svg: 'image/svg+xml',
  png: 'image/png',
};

const page = '<!doctype html><title>page</title><script type="module" src="/stdin.js"></script>';

/** The program's scripts by path. Minified as a user's page is, because some code of tfjs reads its own source. */
async function bundle(program: string): Promise<[path: string, contents: Uint8Array][]> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import * as program from ${JSON.stringify(program)}; Object.assign(globalThis, { program });`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: '/',
    write: false,
    loader: { '.wasm': 'binary', '.bin': 'binary' },
    plugins: [bundledTextsInEsbuild],
    logLevel: 'error',
  });
  return outputFiles.map(({ path, contents }) => [path, contents]);
}
