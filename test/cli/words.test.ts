import { mkdir, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { about, inFlags, longFlag } from '../../src/cli/flags';
import { printable } from '../../src/cli/printable';
import { styleOptions } from '../../src/cli/style-options';
import type { Option } from '../../src/options/table';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';
import { fakeTerminal } from '../support/fake-terminal';

const path = pictureFolder();
const paint = (args: readonly string[], fake = fakeTerminal()) =>
  runCommand([path('content.png'), path('style.jpg'), ...args], fake);

describe('help', () => {
  test('is shown by help, --help and -h, on stdout', async () => {
    const [shown, ...others] = await Promise.all(
      [['help'], ['--help'], ['-h'], ['help', 'help']].map((args) => runCommand(args)),
    );
    expect(shown).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: ') });
    expect(others).toEqual([shown, shown, shown]);
  });

  test('of a command is shown by help and its name', async () => {
    expect((await runCommand(['help', 'evaluate'])).stdout).toContain('Usage: tfjs-style-transfer evaluate');
    expect(await runCommand(['help', 'weights', 'fetch'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: tfjs-style-transfer weights fetch'),
    });
  });

  test.each([[[]], [['weights']]])('is shown on stderr for %j alone, which is wrong usage', async (args) => {
    expect(await runCommand(args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: '),
    });
  });

  test('has every flag of the tables with its help, range and default', async () => {
    const help = (await runCommand(['--help'])).stdout.replace(/\s+/g, ' ');
    for (const option of Object.values<Option<unknown>>(styleOptions)) {
      if (!option.flag) continue;
      const { text, accepts, standard } = about(option);
      expect(help).toContain(`${option.flag} ${text}`.replace(/\s+/g, ' '));
      if (option.kind === 'number') expect(help).toContain(accepts);
      if (standard) expect(help).toContain(`default: ${standard}`);
    }
  });

  test('flags are the names of their options', () => {
    for (const [name, option] of Object.entries<Option<unknown>>(styleOptions)) {
      const long = longFlag(option);
      const camel = long?.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      // Given once for each region.
      if (long) expect(name === 'regions' ? `${camel}s` : camel).toBe(name);
    }
  });
});

describe('a command that does not exist', () => {
  test.each([
    [['evalute', 'x.jpg'], "There is no command 'evalute'; did you mean evaluate?"],
    [['evalute', 'x.jpg', '--style', 'y.jpg'], 'did you mean evaluate?'],
    [['weihgts', 'list'], 'did you mean weights?'],
    [['weights', 'ftch'], 'did you mean fetch?'],
    [['help', 'evalute'], 'did you mean evaluate?'],
    [['help', 'weights', 'nothing'], "There is no command 'nothing'. Commands: list, fetch,"],
  ])('%j: %s', async (args, message) => {
    const { code, stderr } = await runCommand(args);
    expect(stderr).toContain(message);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(code).toBe(2);
  });

  test('may be a picture after all', async () => {
    await mkdir(path('here'));
    const before = process.cwd();
    process.chdir(path('here'));
    try {
      await writeFile('evalute', 'not a picture');
      const { stderr } = await runCommand(['evalute', path('style.jpg')]);
      expect(stderr).toContain("content 'evalute' is not an image");
    } finally {
      process.chdir(before);
    }
  });
});

test('an option of 100 000 letters makes a short message', async () => {
  const { code, stderr } = await runCommand(['a.png', 'b.png', `--${'x'.repeat(100_000)}`]);
  expect(stderr).toMatch(/^error: unknown option '--xxx/);
  expect(stderr.length).toBeLessThan(400);
  expect(code).toBe(2);
});

describe('errors speak of flags, not of the library', () => {
  /** A name as the library has it: `maxEvaluations`, `useWasm`. */
  const word = /\b[a-z]+[A-Z]\w*/;
  const wrong = Object.entries<Option<unknown>>(styleOptions).flatMap(([name, option]) =>
    option.flag &&
    /</.test(option.flag) &&
    !['output', 'init', 'weights', 'settings', 'regions'].includes(name)
      ? ['nonsense', '-1.5', ''].map((value) => [longFlag(option), value] as const)
      : [],
  );

  test.each(wrong)('%s %j', async (flag, value) => {
    const { code, stderr } = await paint(['-o', path('out.png'), `${flag}=${value}`]);
    // Weights of content and style may be anything but negative.
    expect(stderr).toMatch(new RegExp(`^error: ${flag} is `));
    expect(stderr).not.toMatch(word);
    expect(code).toBe(2);
  });

  test.each([
    [['--preset', 'gatys2016'], '--weights vgg19 fetches VGG-19'],
    [['--engine', 'tfjs', '--relaxed-simd'], '--relaxed-simd'],
    [['--threads', '2', '--backend', 'cpu', '--engine', 'tfjs'], 'accepted: --backend wasm'],
    [['--weights', 'http://127.0.0.1:1/'], '127.0.0.1'],
  ])('%j', async (args, message) => {
    vi.stubEnv('TFJS_STYLE_TRANSFER_WEIGHTS', undefined);
    vi.stubEnv('TFJS_STYLE_TRANSFER_CACHE', path('cache'));
    // Pauses between attempts to reach a server pass in a moment.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const hurry = setInterval(() => vi.advanceTimersByTime(500), 20);
    const { code, stderr } = await paint(['-o', path('out.png'), '--size', '32', ...args]).finally(() => {
      clearInterval(hurry);
      vi.useRealTimers();
    });
    const [error] = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(error).toContain(message);
    expect(error).not.toMatch(word);
    expect(code).not.toBe(0);
  });

  test.each([
    [
      'relaxedSimd is true, which needs Node 22 or newer, or relaxedSimd: false.',
      '--relaxed-simd is given, which needs Node 22 or newer, or no --relaxed-simd.',
    ],
    [
      "engine is 'wasm', which needs SIMD, or engine 'auto'.",
      "--engine is 'wasm', which needs SIMD, or --engine auto.",
    ],
    ["weights: 'vgg19' fetches VGG-19.", '--weights vgg19 fetches VGG-19.'],
    ['size is 8; accepted: 16 to 8192.', '--size is 8; accepted: 16 to 8192.'],
    [
      "content 'relaxedSimd is true.png' does not exist.",
      "content 'relaxedSimd is true.png' does not exist.",
    ],
    ['The image size is 8; choose a smaller size.', 'The image size is 8; choose a smaller size.'],
    ['threads has no effect beside engine.', '--threads has no effect beside engine.'],
    ['maxEvaluations and iterations are few.', '--max-evaluations and iterations are few.'],
  ])('%s', (message, expected) => {
    expect(inFlags(message, styleOptions)).toBe(expected);
  });
});

describe('control characters never reach a terminal', () => {
  const evil = '\x1b]0;owned\x07\u009b31m\u202ered\u2028\r';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const control = /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]/;
  afterEach(() => vi.unstubAllEnvs());

  test.each<[string, (evil: string) => readonly string[]]>([
    ['a content', (text) => [`${text}.png`, 'style.jpg']],
    ['a style', (text) => [path('content.png'), `${text}.jpg`, ...quick, '-o', path('out.png')]],
    ['an output', (text) => [path('content.png'), path('style.jpg'), '-o', text]],
    [
      'an output that is written',
      (text) => [path('content.png'), path('style.jpg'), ...quick, '-o', path(`${text}.png`)],
    ],
    ['a flag', (text) => [path('content.png'), path('style.jpg'), `--${text}`]],
    ['a flag with a line feed', (text) => [path('content.png'), path('style.jpg'), `--a\nerror: ${text}`]],
    ['a number', (text) => [path('content.png'), path('style.jpg'), '--size', text]],
    ['a name', (text) => [path('content.png'), path('style.jpg'), '--preset', text]],
    [
      'weights',
      (text) => [path('content.png'), path('style.jpg'), '-o', path('out.png'), '--weights', `./${text}`],
    ],
    ['a command', (text) => ['help', text]],
    ['a picture to measure', (text) => ['evaluate', `${text}.png`, '--style', path('style.jpg')]],
    ['a key of the cache', (text) => ['weights', 'delete', text]],
    ['a layer', (text) => ['weights', 'fetch', '--to', text]],
  ])('from %s', async (_, args) => {
    const hasJson = args(evil)[0] !== 'weights';
    for (const json of hasJson ? [[], ['--json']] : [[]]) {
      const { stdout, stderr } = await runCommand([...args(evil), ...json]);
      expect(stdout + stderr).not.toMatch(control);
      expect(stdout + stderr).toContain('\\u001b');
      if (json.length === 0) continue;
      for (const line of `${stdout}${stderr}`.trimEnd().split('\n'))
        expect(() => JSON.parse(line)).not.toThrow();
    }
  });

  test('are escaped so that JSON keeps them', () => {
    const value = { text: `${evil}\u{e0041}` };
    expect(printable(JSON.stringify(value))).not.toMatch(control);
    expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
  });
});
