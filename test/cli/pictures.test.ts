import { existsSync } from 'node:fs';
import { link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';
import { fakeTerminal } from '../support/fake-terminal';

const path = pictureFolder();
const paint = (args: readonly string[], fake = fakeTerminal()) =>
  runCommand([path('content.png'), path('style.jpg'), ...quick, ...args], fake);

describe('the output', () => {
  test('may lie in folders that are not there yet', async () => {
    expect(await paint(['-q', '-o', path('made/for/out.png')])).toMatchObject({ code: 0, stderr: '' });
    expect(await sharp(path('made/for/out.png')).metadata()).toMatchObject({ width: 32 });
    const url = pathToFileURL(path('made/by/url.png')).href;
    expect(await paint(['-q', '-o', url])).toMatchObject({ code: 0, stderr: '' });
    expect(await sharp(path('made/by/url.png')).metadata()).toMatchObject({ width: 32 });
  });

  test('leaves no folder behind where nothing was painted', async () => {
    await mkdir(path('mine'));
    const { code } = await runCommand([path('no.png'), path('style.jpg'), '-o', path('mine/made/out.png')]);
    expect(code).toBe(1);
    expect(existsSync(path('mine'))).toBe(true);
    expect(await readdir(path('mine'))).toEqual([]);
  });

  test('is TIFF where its extension says so, or as --format says', async () => {
    await paint(['-o', path('out.tif')]);
    await paint(['-o', path('picture'), '--format', 'webp']);
    expect((await sharp(path('out.tif')).metadata()).format).toBe('tiff');
    expect((await sharp(path('picture')).metadata()).format).toBe('webp');
  });

  test.each<[string, string, (output: string) => Promise<unknown>]>([
    ['content', 'the content itself', async () => {}],
    ['content', 'a symbolic link to it', (output) => symlink(path('content.png'), output)],
    ['content', 'a hard link to it', (output) => link(path('content.png'), output)],
    ['style', 'a link to the style', (output) => symlink(path('style.jpg'), output)],
  ])('is not the %s: %s', async (name, what, make) => {
    const before = await readFile(path('content.png'));
    const output = what === 'the content itself' ? path('./content.png') : path('out.png');
    await make(output);
    // Relative, so that no comparison of texts finds it.
    const { code, stderr } = await paint(['-o', relative('', output)]);
    expect(stderr).toMatch(
      new RegExp(`^error: --output is '.*', the same file as ${name}, which would be lost`),
    );
    expect(code).toBe(2);
    expect(await readFile(path('content.png'))).toEqual(before);
  });

  test('is not the picture that a run starts from', async () => {
    await sharp(path('content.png')).toFile(path('start.png'));
    const { code, stderr } = await paint(['--init', path('start.png'), '-o', path('start.png')]);
    expect(stderr).toContain('the same file as init');
    expect(code).toBe(2);
  });

  test('is compared with a file: URL too', async () => {
    const content = pathToFileURL(path('content.png')).href;
    const { code } = await runCommand([content, path('style.jpg'), '-o', path('content.png')]);
    expect(code).toBe(2);
  });
});

describe('stdin', () => {
  test.each(['content', 'style', 'init'])('holds the %s', async (name) => {
    const stdin = await readFile(path('content.png'));
    const [content, style] = ['content', 'style'].map((one) =>
      one === name ? '-' : path(one === 'content' ? 'content.png' : 'style.jpg'),
    );
    const start = name === 'init' ? ['--init', '-'] : [];
    const args = [content, style, ...start, ...quick, '-o', path('out.png')];
    expect(await runCommand(args, fakeTerminal({ stdin }))).toMatchObject({ code: 0 });
    expect(await sharp(path('out.png')).metadata()).toMatchObject({ width: 32, height: 24 });
  });

  test('holds one picture', async () => {
    const { code, stderr } = await runCommand(
      ['-', '-', '-o', path('out.png')],
      fakeTerminal({ stdin: Buffer.alloc(0) }),
    );
    expect(stderr).toMatch(/^error: content and style are each '-', and stdin holds one picture/);
    expect(code).toBe(2);
  });

  test('is not waited for where it is a terminal', async () => {
    const { code, stderr } = await runCommand(['-', path('style.jpg'), '-o', path('out.png')]);
    expect(stderr).toMatch(/^error: content is '-', and stdin is a terminal/);
    expect(code).toBe(2);
  });

  test.each([
    ['nothing', Buffer.alloc(0), 'content is empty'],
    ['no picture', Buffer.from('no picture'), 'content is not an image of a known format'],
  ])('with %s is refused', async (_, stdin, message) => {
    const { code, stderr } = await runCommand(
      ['-', path('style.jpg'), '-o', path('out.png')],
      fakeTerminal({ stdin }),
    );
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

describe('stdout', () => {
  test('gets the picture and nothing else; the result is told on stderr', async () => {
    const { code, stdout, stderr, bytes } = await paint(['-o', '-']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/\n-: 32x24, loss .*\n$/);
    expect(bytes).toHaveLength(1);
    expect(await sharp(bytes[0]).metadata()).toMatchObject({ format: 'png', width: 32 });
  });

  test('with --json the result is the last event on stderr', async () => {
    const { stdout, stderr } = await paint(['-o', '-', '--json', '--format', 'jpeg']);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'result',
      width: 32,
    });
  });

  test('gets no picture where it is a terminal', async () => {
    const { code, stderr, bytes } = await paint(
      ['-o', '-'],
      fakeTerminal({ isTTY: true, env: { NO_COLOR: '1' } }),
    );
    expect(stderr).toMatch(/^error: --output is '-', and stdout is a terminal/);
    expect({ code, bytes }).toEqual({ code: 2, bytes: [] });
  });
});

describe('what is said', () => {
  test('with --quiet is nothing', async () => {
    expect(await paint(['-q', '-o', path('out.png')])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('with --quiet is the result if --json asks for it, and errors', async () => {
    const { stdout, stderr } = await paint(['-q', '--json', '-o', path('out.png')]);
    expect({ stderr, ...JSON.parse(stdout) }).toMatchObject({ stderr: '', width: 32 });
    await writeFile(path('notes.png'), 'not a picture');
    const failed = await runCommand([path('notes.png'), path('style.jpg'), '-q', '-o', path('out.png')]);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*\n$/) });
  });

  test.each([
    [['--engine', 'wasm', '--threads', '2'], 2],
    [['--engine', 'wasm', '--threads', '1'], 1],
    [['--engine', 'tfjs', '--threads', '2'], 2],
    [['--engine', 'tfjs', '--backend', 'cpu'], 1],
  ])('of the threads that ran with %j is %i', async (args, threads) => {
    const flags = [
      '--weights',
      'embedded',
      '--size',
      '16',
      '--iterations',
      '1',
      '-o',
      path('out.png'),
      ...args,
    ];
    const { code, stdout } = await runCommand([path('content.png'), path('style.jpg'), ...flags, '--json']);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, threads });
    // tfjs gets threads only if it computes.
    if (!args.includes('cpu')) expect(getThreadsCount()).toBe(args.includes('tfjs') ? threads : 1);
    const text = await runCommand([path('content.png'), path('style.jpg'), ...flags]);
    expect(text.stdout).toContain(`, ${threads} thread${threads === 1 ? '' : 's'}, `);
  });
});
