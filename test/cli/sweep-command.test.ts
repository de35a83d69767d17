import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { gridOf, readAxes } from '../../src/cli/sweep/grid';
import { charactersIn, label, widthOf } from '../../src/cli/sweep/label';
import { sweepPage } from '../../src/cli/sweep/page';
import type { CellResult } from '../../src/cli/sweep/results';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';
import { startCommand, until } from '../support/command-process';
import { fakeTerminal } from '../support/fake-terminal';

const path = pictureFolder();
const sweep = (args: readonly string[], fake = fakeTerminal()) =>
  runCommand(['sweep', path('content.png'), path('style.jpg'), ...quick, '-o', path('out'), ...args], fake);

describe('--vary', () => {
  test('makes all combinations, the last option along a row', () => {
    const { rows, columns } = gridOf(
      readAxes(['beta=1e4,1e5', 'preset=li2021,gatys2016', 'color=style,content']),
    );
    expect(columns).toEqual(['color=style', 'color=content']);
    expect(rows.map(({ title }) => title)).toEqual([
      'beta=1e4 preset=li2021',
      'beta=1e4 preset=gatys2016',
      'beta=1e5 preset=li2021',
      'beta=1e5 preset=gatys2016',
    ]);
    expect(rows[2].cells[1]).toEqual({
      title: 'beta=1e5 preset=li2021 color=content',
      file: 'beta=1e5 preset=li2021 color=content.png',
      options: { beta: 1e5, preset: 'li2021', color: 'content' },
      texts: { beta: '1e5', preset: 'li2021', color: 'content' },
    });
  });

  test('separates values that hold commas by semicolons, and takes names of flags', () => {
    const [scales, weights] = readAxes([
      'scales=64,128:5;1',
      '--layer-weights=conv1_1=2,conv2_1=3;conv1_1=4',
    ]);
    expect(scales.values.map(({ value }) => value)).toEqual([
      [{ size: 64 }, { size: 128, iterations: 5 }],
      1,
    ]);
    expect(weights.option).toBe('layerWeights');
    expect(weights.values.map(({ value }) => value)).toEqual([{ conv1_1: 2, conv2_1: 3 }, { conv1_1: 4 }]);
  });

  test('gives cells names that every file system takes and that differ', () => {
    const { rows } = gridOf(readAxes(['init=a/b.png;a:b.png']));
    const files = rows[0].cells.map(({ file }) => file);
    expect(new Set(files).size).toBe(2);
    for (const file of files) expect(file).toMatch(/^[\w=.,+ -]+\.png$/);
  });

  test.each([
    [['--vary', 'beta'], "--vary is 'beta'; accepted: an option and values, such as beta=1e4,1e5."],
    [['--vary', 'bata=1'], "--vary is 'bata'; did you mean 'beta'?"],
    [['--vary', 'beta=1,x'], "--beta is 'x'; accepted: a finite number of at least 0."],
    [['--vary', 'preset=li2021,gaty2016'], "did you mean 'gatys2016'?"],
    [['--vary', 'beta=1', '--vary', 'beta=2'], '--vary is beta twice'],
    [['--vary', 'beta=1,1'], '--vary is beta=1 twice'],
    [['--vary', 'preset=li2021', '--layer-weights', 'relu4_1=2'], "--layer-weights is 'relu4_1'"],
    [['--vary', `seed=${Array.from({ length: 401 }, (_, i) => i)}`], 'accepted: at most 400'],
    [['--vary', 'settings=a.png'], "--vary is 'settings'"],
    [[], "required option '--vary <option=values>' not specified"],
  ])('refuses %j before any work', async (args, message) => {
    const { code, stderr } = await sweep(args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    await expect(stat(path('out'))).rejects.toThrow();
  });

  test('refuses stdin, which only one picture could read', async () => {
    const { code, stderr } = await runCommand(['sweep', '-', path('style.jpg'), '--vary', 'beta=1,2']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("content is '-'") });
  });
});

describe('a sweep', () => {
  test('paints every cell, a sheet and a page; what is done is not painted again', async () => {
    const args = ['--vary', 'preset=li2021,pytorch-tutorial', '--vary', 'beta=1e3,1e5'];
    const first = await sweep(args);
    expect(first).toMatchObject({ code: 0, stdout: `${path('out')}/index.html: 4 painted\n` });
    const cell = 'preset=li2021 beta=1e5.png';
    expect((await readdir(path('out'))).sort()).toEqual(
      [
        'contact-sheet.png',
        'index.html',
        cell,
        'preset=li2021 beta=1e3.png',
        'preset=pytorch-tutorial beta=1e3.png',
        'preset=pytorch-tutorial beta=1e5.png',
        'results.json',
      ].sort(),
    );
    expect(await sharp(path(`out/${cell}`)).metadata()).toMatchObject({ width: 32, height: 24 });
    expect((await sharp(path('out/contact-sheet.png')).metadata()).width).toBeGreaterThan(2 * 256);
    const page = await readFile(path('out/index.html'), 'utf8');
    expect(page.match(/<img /g)).toHaveLength(4);
    expect(page).toContain(`href="${encodeURIComponent(cell)}"`);
    expect(page).toContain('<dt>style distance</dt>');

    // The same picture as that of the command alone.
    const alone = await runCommand([
      ...[path('content.png'), path('style.jpg'), ...quick, '--preset', 'li2021', '--beta', '1e5'],
      ...['-o', path('alone.png')],
    ]);
    expect(alone.code).toBe(0);
    const pixels = (name: string) => sharp(path(name)).raw().toBuffer();
    expect((await pixels(`out/${cell}`)).equals(await pixels('alone.png'))).toBe(true);

    await rm(path(`out/${cell}`));
    const other = await stat(path('out/preset=li2021 beta=1e3.png'));
    const second = await sweep([...args, '--json']);
    expect(JSON.parse(second.stdout)).toMatchObject({ cells: 4, painted: 1, kept: 3, failed: 0 });
    expect((await stat(path('out/preset=li2021 beta=1e3.png'))).mtimeMs).toBe(other.mtimeMs);
    const events = second.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; done?: number });
    expect(events.filter(({ type }) => type === 'cell').at(-1)?.done).toBeLessThanOrEqual(1);

    // Other settings paint all anew.
    const third = await sweep([...args, '--json', '-q', '--iterations', '2']);
    expect(JSON.parse(third.stdout)).toMatchObject({ painted: 4, kept: 0 });
  }, 60_000);

  test('shows a cell that fails, paints the others and ends with 1', async () => {
    const { code, stderr, stdout } = await sweep(['--vary', 'preset=gatys2016,li2021']);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('error: 1 of 2 cells failed, preset=gatys2016.png because: ');
    const page = await readFile(path('out/index.html'), 'utf8');
    expect(page).toContain('<p class="failed">failed: ');
    expect(page.match(/<img /g)).toHaveLength(1);
    expect((await readdir(path('out'))).filter((name) => name.startsWith('preset='))).toHaveLength(1);
  }, 60_000);

  test('does not trust what a file in its folder says', async () => {
    await sweep(['--vary', 'beta=1e3']);
    await writeFile(path('out/results.json'), '{"beta=1e3.png":{"loss":"<script>","terms":[1]}}');
    const { code, stderr } = await sweep(['--vary', 'beta=1e3']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('painted before') });
    expect(await readFile(path('out/index.html'), 'utf8')).not.toContain('<script>');
  }, 60_000);

  test.skipIf(process.platform === 'win32')(
    'keeps what is done at Ctrl-C, and goes on after it',
    async () => {
      const args = [
        ...[
          'sweep',
          path('content.png'),
          path('style.jpg'),
          '--weights',
          'embedded',
          '--size',
          '32',
          '--threads',
          '1',
        ],
        ...[
          '--iterations',
          '3000',
          '--tolerance',
          '0',
          '--vary',
          'max-evaluations=3,100000',
          '-o',
          path('out'),
        ],
      ];
      const { child, ended, stderr } = startCommand(args);
      await until(() => stderr().includes('cell 2 of 2'));
      child.kill('SIGINT');
      const { code } = await ended;
      expect({ code, stderr: stderr() }).toEqual({
        code: 130,
        stderr: expect.stringContaining('the same command goes on with what is missing'),
      });
      expect(await readFile(path('out/index.html'), 'utf8')).toContain('not painted yet');
      const again = await runCommand([
        ...args.slice(0, -4),
        '--vary',
        'max-evaluations=3',
        '-o',
        path('out'),
      ]);
      expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('painted before') });
    },
    90_000,
  );
});

describe('the page', () => {
  test('escapes everything that comes from outside', () => {
    const grid = gridOf(readAxes(['init=<b>&".png']));
    const [{ cells }] = grid.rows;
    const results = new Map<string, CellResult>([
      [cells[0].file, { state: 'failed', reason: '<script>alert(1)</script>' }],
    ]);
    const page = sweepPage(grid, '<i>"title"', results, () => 'cmd <x>');
    expect(page).not.toMatch(/<script|<b>|<i>|<x>/);
    expect(page).toContain('&#60;script&#62;');
  });
});

describe('labels', () => {
  test('are drawn by glyphs of their own: an I is a bar between two others', async () => {
    const draw = async (text: string) => {
      const { input, raw } = label(text, { left: 0, top: 0 });
      const { data, info } = await sharp(input as Buffer, { raw })
        .extractChannel(3)
        .raw()
        .toBuffer({ resolveWithObject: true });
      return Array.from({ length: info.height }, (_, y) =>
        [...data.subarray(y * info.width, (y + 1) * info.width)]
          .map((alpha) => (alpha > 0 ? '#' : '.'))
          .join(''),
      );
    };
    const bar = await draw('I');
    expect(bar[6]).toBe('....##......');
    expect(bar[0]).toBe('..######....');
    expect(await draw('\u4e2d')).toEqual(await draw('?'));
    expect(charactersIn(widthOf('abc'))).toBe(3);
  });
});
