import { existsSync, mkdirSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { describe, expect, test, vi } from 'vitest';
import { presetNames } from '../../src/transfer/presets';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';
import { fakeTerminal } from '../support/fake-terminal';

const path = pictureFolder();
const run = runCommand;
const paint = (...args: string[]) => run([path('content.png'), path('style.jpg'), ...quick, ...args]);

describe('the command', () => {
  test('writes the picture, says so in one line on stdout, and ends with 0', async () => {
    const { code, stdout, stderr } = await paint('-o', path('out.png'));
    expect(stderr).toMatch(
      /^32x24, [\d.]+ MB planned\n0\/3 {2}loss [\d.e+]+ {2}[\d.]+ s\/evaluation {2}\d+ s left\n/,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^.*out\.png: 32x24, loss [\d.]+ after 3 iterations, \d+ evaluations, \d+ s, .*\n$/,
    );
    expect(await sharp(path('out.png')).metadata()).toMatchObject({ format: 'png', width: 32, height: 24 });
  });

  test('with --json prints one object on stdout and an object a line on stderr', async () => {
    const { code, stdout, stderr } = await paint(
      '-o',
      path('out.webp'),
      '--json',
      '--preset',
      'pytorch-tutorial',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      output: path('out.webp'),
      width: 32,
      height: 24,
      loss: expect.any(Number),
      terms: { content: expect.any(Number), style: expect.any(Number) },
      iterations: 3,
      stopReason: 'maxIterations',
      backend: 'wasm',
      embedded: true,
    });
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'step').map(({ iteration }) => iteration)).toEqual([
      0, 1, 2, 3,
    ]);
  });

  test('passes its options on: seed and start decide the picture', async () => {
    const loss = async (...args: string[]) =>
      JSON.parse((await paint('-o', path('out.png'), '--json', '--init', 'noise', ...args)).stdout).loss;
    const first = await loss('--seed', '1');
    expect(await loss('--seed', '1')).toBe(first);
    expect(await loss('--seed', '2')).not.toBe(first);
    expect(await loss('--seed', '1', '--beta', '1e5')).not.toBe(first);
  });

  test('paints at several sizes, and says which on its lines of progress', async () => {
    const { code, stdout, stderr } = await paint('-o', path('out.png'), '--scales', '16,32:2', '--json');
    expect(code).toBe(0);
    const starts = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'start');
    expect(starts.map(({ stage }) => stage)).toEqual([
      { index: 0, count: 2, width: 16, height: 12 },
      { index: 1, count: 2, width: 32, height: 24 },
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ width: 32, iterations: 5 });
    expect(
      (await paint('-o', path('out.png'), '--scales', '16:1,32:1', '--iterations', '3')).stderr,
    ).toContain('--iterations has no effect');
  });

  test('keeps to a limit of memory, and names the size that fits', async () => {
    expect((await paint('-o', path('out.png'), '--memory', '500MB')).code).toBe(0);
    const { code, stderr } = await paint('-o', path('out.png'), '--memory', '0.3GiB', '--size', '4096');
    expect(stderr).toMatch(
      /^error: .* does not fit into 0\.322 GB of memory; accepted: a size of at most \d+\.\n$/m,
    );
    expect(code).toBe(1);
  });

  test('starts from a picture of the user', async () => {
    const { code } = await paint('-o', path('out.png'), '--init', path('style.jpg'));
    expect(code).toBe(0);
  });

  test('draws a bar on terminals', async () => {
    const fake = fakeTerminal({ isTTY: true });
    const { stderr } = await run(
      [path('content.png'), path('style.jpg'), ...quick, '-o', path('out.png')],
      fake,
    );
    expect(stderr).toContain('█');
    expect(stderr).toContain('\r');
    expect(fake.listeners.size).toBe(0);
  });

  test('says in one line that the embedded network stands in, and how to get VGG-19', async () => {
    vi.stubEnv('TFJS_STYLE_TRANSFER_WEIGHTS', undefined);
    vi.stubEnv('TFJS_STYLE_TRANSFER_CACHE', path('cache'));
    const args = quick.filter((arg) => !['--weights', 'embedded'].includes(arg));
    const { code, stderr } = await run([
      path('content.png'),
      path('style.jpg'),
      ...args,
      '-o',
      path('out.png'),
    ]);
    expect(code).toBe(0);
    const notices = stderr
      .split('\n')
      .filter((line) => line.includes('embedded') || line.includes('weights fetch'));
    expect(notices).toEqual([expect.stringMatching(/No VGG-19 weights.*tfjs-style-transfer weights fetch$/)]);
    expect((await paint('-o', path('out.png'))).stderr).not.toContain('weights fetch');
  });

  test('leaves no tensor behind, also when it fails', async () => {
    await paint('-o', path('out.png'));
    const before = tf.memory().numTensors;
    await paint('-o', path('out.png'));
    await paint('-o', path('out.png'), '--alpha', '-1');
    expect(tf.memory().numTensors).toBe(before);
  });

  test('shows help with every preset and the defaults, and its version', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const name of presetNames) expect(stdout).toContain(name);
    // Wherever the line is broken.
    expect(stdout.replace(/\s+/g, ' ')).toContain('(default: li2021)');
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 wrong usage, 130, 143 or 129');
    expect(await run(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe('wrong usage ends with 2, one line and no work', () => {
  test.each([
    [['--preset', 'li2012'], "did you mean 'li2021'?"],
    [['--preset', 'gatys'], 'Accepted: li2021'],
    [['--engine', 'tfj'], "did you mean 'tfjs'?"],
    [['--backend', 'wsm'], "did you mean 'wasm'?"],
    [['--init', 'nois'], "did you mean 'noise'?"],
    [['--alpha', '-1'], '--alpha is -1'],
    [['--beta', 'much'], "--beta is 'much'; accepted: a finite number of at least 0"],
    [['--size', '0'], '--size is 0'],
    [['--size', '1e9'], '--size is 1000000000'],
    [['--scales', '64,32'], '--scales is [64, 32], where 64 is larger than the next, 32'],
    [['--scales', '16,8'], 'scales[1].size is 8; accepted: a whole number from 16 to 16384'],
    [['--scales', '16x'], "--scales is '16x'; accepted: 1, 'auto', or a list"],
    [['--memory', '2 lots'], "--memory is '2 lots'; accepted: a whole number of at least 1"],
    [['--iterations', '2.5'], 'a whole number'],
    [['--iterations', ''], "--iterations is ''"],
    [['--threads', '0'], '--threads is 0'],
    [['--seed', 'NaN'], "--seed is 'NaN'"],
    [['--iteration', '5'], '--iterations'],
    [['--style-weights', '1,2'], '--style-weights has 2 numbers; accepted: one for each of 1 style.'],
    [['-o', 'out.bmp'], '.png, .jpg, .jpeg, .webp, .avif, .tif, .tiff'],
    [['-o', 'out'], '.png, .jpg, .jpeg, .webp, .avif, .tif, .tiff'],
    [['-o', join('made', 'out.bmp')], '.png, .jpg, .jpeg, .webp, .avif, .tif, .tiff'],
    [['--format', 'pgn'], "did you mean 'png'?"],
    [['--threads', '2', '--backend', 'cpu', '--engine', 'tfjs'], '--threads has no effect'],
    [['--threads', '2', '--backend', 'webgpu'], '--threads has no effect'],
    [['--weights', ''], "--weights is ''; accepted: 'vgg19', 'embedded', a path, a URL.\n"],
    [['--init', '-'], "--init is '-', and stdin is a terminal"],
  ])('%j', async (args, message) => {
    const output = args[0] === '-o' ? [] : ['-o', path('out.png')];
    const { code, stdout, stderr } = await paint(...output, ...args);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect((await readdir(path())).sort()).toEqual(['content.png', 'style.jpg']);
  });

  test('one argument alone', async () => {
    const { code, stderr } = await run(['photo.jpg']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: "error: missing required argument 'style'\n" });
  });
});

describe('what cannot be done ends with 1 and one line', () => {
  test.each([
    [['no.png', 'style.jpg'], "content '.*no.png' does not exist"],
    [['content.png', 'no.jpg'], "style '.*no.jpg' does not exist"],
    [['content.png', 'notes.png'], "style '.*notes.png' is not an image of a known format"],
  ])('%j', async (names, message) => {
    await writeFile(path('notes.png'), 'not a picture');
    const { code, stderr } = await run([...names.map(path), ...quick, '-o', path('out.png')]);
    expect(stderr).toMatch(new RegExp(`^error: ${message}.*\n$`));
    expect(code).toBe(1);
  });

  test('a folder that cannot be made', async () => {
    const { code, stderr } = await paint('-o', path('content.png/made/out.png'));
    expect(stderr).toMatch(/^error: .*content\.png.* is no folder\.\n$/);
    expect(code).toBe(1);
  });

  test('weights that are not there', async () => {
    const { code, stderr } = await paint('-o', path('out.png'), '--weights', path('nowhere'));
    expect(stderr).toMatch(/^error: .*nowhere.*\n$/);
    expect(code).toBe(1);
    expect(existsSync(path('out.png'))).toBe(false);
  });

  test('with --json the error is JSON as well, with its code and option', async () => {
    const { stdout, stderr } = await paint('-o', path('out.png'), '--json', '--alpha', '-1');
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toMatchObject({
      type: 'error',
      code: 'OUT_OF_RANGE',
      option: 'alpha',
      flag: '--alpha',
    });
    expect(JSON.parse((await paint('--json', '--alpha')).stderr)).toMatchObject({
      type: 'error',
      code: 'WRONG_USAGE',
      message: expect.stringContaining('argument missing'),
    });
  });

  test('with DEBUG set it tells where', async () => {
    const { stderr } = await run(
      [path('no.png'), path('style.jpg'), '-o', path('out.png')],
      fakeTerminal({ env: { DEBUG: '1' } }),
    );
    expect(stderr).toMatch(/\n\s+at /);
  });
});

describe('Ctrl-C', () => {
  const long = [...quick.map((arg) => (arg === '3' ? '1000' : arg))];

  /** Presses Ctrl-C when the third step is shown. */
  function interruptible(onStep: (fake: ReturnType<typeof fakeTerminal>) => void) {
    const fake = fakeTerminal();
    const { write } = fake.terminal.stderr;
    let pressed = false;
    fake.terminal.stderr.write = (text) => {
      write(text);
      if (!text.includes('"iteration":2') || pressed) return;
      pressed = true;
      onStep(fake);
    };
    return fake;
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('(%s) saves the picture so far and ends with %i', async (signal, expected) => {
    const fake = interruptible(({ stop }) => stop(signal));
    const { code, stdout, stderr } = await run(
      [path('content.png'), path('style.jpg'), ...long, '--json', '-o', path('out.png')],
      fake,
    );
    expect(code).toBe(expected);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/saved the picture so far: .*out\.png, loss [\d.]+ after \d+ evaluations/);
    expect(await sharp(path('out.png')).metadata()).toMatchObject({ width: 32, height: 24 });
    expect(fake.listeners.size).toBe(0);
  });

  test('says so where the picture so far cannot be saved', async () => {
    const fake = interruptible(({ stop }) => {
      stop();
      // Something took the name in the meantime.
      mkdirSync(path('out.png'));
    });
    const { code, stderr } = await run(
      [path('content.png'), path('style.jpg'), ...long, '--json', '-o', path('out.png')],
      fake,
    );
    expect(code).toBe(130);
    expect(stderr).toMatch(/could not be saved: .*out\.png' cannot be written: it is a folder/);
  });
});
