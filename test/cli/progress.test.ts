import { describe, expect, test } from 'vitest';
import { duration } from '../../src/cli/progress';
import { progressBar } from '../../src/cli/progress-bar';
import { progressJson } from '../../src/cli/progress-json';
import { progressLines } from '../../src/cli/progress-lines';
import type { StartEvent, StepEvent } from '../../src/transfer/progress';
import { fakeTerminal } from '../support/fake-terminal';

const step = (iteration: number, change: Partial<StepEvent> = {}): StepEvent => ({
  type: 'step',
  stage: { index: 0, count: 1, width: 64, height: 48 },
  iteration,
  iterations: 100,
  evaluations: iteration + 1,
  loss: 1234.5678,
  terms: { style: 1234.5678 },
  elapsedMs: 0,
  secondsPerEvaluation: 0.456,
  secondsLeft: 125,
  done: iteration / 100,
  image: () => expect.fail('the image must not be made'),
  ...change,
});

const start = (change: Partial<StartEvent> = {}): StartEvent => ({
  type: 'start',
  stage: { index: 0, count: 1, width: 64, height: 48 },
  width: 64,
  height: 48,
  preset: 'li2021',
  engine: 'wasm',
  backend: 'wasm',
  weights: 'weights',
  embedded: false,
  threads: 2,
  layers: [],
  plan: {
    bytes: 34.5e6,
    maps: 30e6,
    targets: 0,
    images: 1e6,
    vectors: 1e6,
    history: 2.5e6,
    tiles: 1,
    work: 1,
    pairs: 20,
  },
  ...change,
});

/** What a terminal shows after the text: carriage returns overwrite, `ESC [ K` clears to the end of the line. */
function screen(text: string): string[] {
  const lines = [''];
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what terminals understand
  for (const part of text.replace(/\x1b\[\d*m/g, '').split(/(\r|\n|\x1b\[K)/)) {
    const line = lines[lines.length - 1];
    if (part === '\r') column = 0;
    else if (part === '\n') {
      lines.push('');
      column = 0;
    } else if (part === '\x1b[K') lines[lines.length - 1] = line.slice(0, column);
    else {
      lines[lines.length - 1] = line.slice(0, column) + part + line.slice(column + part.length);
      column += part.length;
    }
  }
  return lines;
}

describe('the progress bar', () => {
  test('shows iteration, loss, seconds per evaluation and time left in one line that changes', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true, columns: 120 });
    const bar = progressBar(terminal.stderr, terminal.env);
    bar.show(step(0, { loss: 99999 }));
    bar.show(step(50));
    expect(screen(written.stderr)).toEqual([
      `${'█'.repeat(15)}${'░'.repeat(15)}   50/100  loss 1234.6  0.46 s/evaluation  2 min 05 s left`,
    ]);
  });

  test('leaves nothing of a longer line behind, and ends with a new line', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true });
    const bar = progressBar(terminal.stderr, terminal.env);
    bar.show(step(1, { secondsLeft: 4000 }));
    bar.show(step(100, { secondsLeft: 0 }));
    bar.end();
    bar.end();
    const [line, ...rest] = screen(written.stderr);
    expect(line).toMatch(/^█+ {2}100\/100 .* 0 s left$/);
    expect(rest).toEqual(['']);
  });

  test.each([10, 30, 60, 62, 80, 200])(
    'never reaches the last of %i columns, where terminals wrap',
    (columns) => {
      const { terminal, written } = fakeTerminal({ isTTY: true, columns });
      progressBar(terminal.stderr, terminal.env).show(step(50));
      for (const line of screen(written.stderr)) expect(line.length).toBeLessThan(columns);
    },
  );

  test('says which size of how many, and fills with the work of all', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true, columns: 120 });
    const stage = { index: 1, count: 3, width: 64, height: 48 };
    progressBar(terminal.stderr, terminal.env).show(step(50, { stage, done: 0.2 }));
    expect(screen(written.stderr)[0]).toMatch(/^█{6}░{24} {2}size 2 of 3 {3}50\/100 {2}loss/);
  });

  test('says above itself what a stage takes', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true });
    const bar = progressBar(terminal.stderr, terminal.env);
    bar.show(start());
    bar.show(step(1));
    const stage = { index: 1, count: 2, width: 4096, height: 2730 };
    bar.show(start({ stage, plan: { ...start().plan, bytes: 3.94e9, tiles: 12 } }));
    const lines = screen(written.stderr);
    expect(lines[0]).toBe('64x48, 34.5 MB planned');
    expect(lines[1]).toBe('size 2 of 2: 4096x2730, 12 tiles, 3.9 GB planned');
  });

  test('puts warnings above itself', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true });
    const bar = progressBar(terminal.stderr, terminal.env);
    bar.show(step(1));
    bar.show({ type: 'warning', code: 'CACHE_WRITE_FAILED', message: 'the cache is full' });
    bar.show(step(2));
    const lines = screen(written.stderr);
    expect(lines[0]).toBe('the cache is full');
    expect(lines[1]).toContain('2/100');
  });

  test('shows the kernels that are compiled for a GPU', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true, columns: 60 });
    progressBar(terminal.stderr, terminal.env).show({ type: 'prepare', done: 10, total: 40 });
    expect(screen(written.stderr)).toEqual([expect.stringMatching(/^█+░+ {2}10 of 40 kernels for the GPU$/)]);
  });

  test('shows weights that are read, with and without a known size', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true });
    const bar = progressBar(terminal.stderr, terminal.env);
    const weights = { type: 'weights', name: 'vgg19.bin', loadedBytes: 2_500_000 } as const;
    bar.show({ ...weights, totalBytes: 5_000_000, secondsLeft: 7 });
    expect(screen(written.stderr)[0]).toContain('weights vgg19.bin  2.5 of 5.0 MB  7 s left');
    bar.show({ ...weights, totalBytes: undefined, secondsLeft: undefined });
    expect(screen(written.stderr)[0]).toMatch(/weights vgg19.bin {2}2.5 MB$/);
  });

  test('uses no colours where NO_COLOR is set', () => {
    const { terminal, written } = fakeTerminal({ isTTY: true, env: { NO_COLOR: '1' } });
    progressBar(terminal.stderr, terminal.env).show(step(5));
    expect(written.stderr).not.toContain('\x1b[3');
  });
});

describe('plain progress lines', () => {
  test('come for the first step, every five seconds, and for the last', () => {
    const { terminal, written } = fakeTerminal();
    let milliseconds = 0;
    const lines = progressLines(terminal.stderr, () => milliseconds);
    for (let i = 0; i <= 100; i++, milliseconds += 100) lines.show(step(i));
    lines.end();
    lines.end();
    const shown = written.stderr.trimEnd().split('\n');
    expect(shown.map((line) => Number.parseInt(line, 10))).toEqual([0, 50, 100]);
    expect(shown[1]).toBe(' 50/100  loss 1234.6  0.46 s/evaluation  2 min 05 s left');
  });

  test('come for the first and the last step of each stage', () => {
    const { terminal, written } = fakeTerminal();
    const lines = progressLines(terminal.stderr, () => 0);
    for (const index of [0, 1]) {
      const stage = { index, count: 2, width: 64, height: 48 };
      lines.show(start({ stage }));
      for (let i = 0; i <= 9; i++) lines.show(step(i, { stage }));
    }
    lines.end();
    const steps = [...written.stderr.matchAll(/^size (\d) of 2 +(\d+)\//gm)].map(([, ...found]) => found);
    expect(steps).toEqual([
      ['1', '0'],
      ['1', '9'],
      ['2', '0'],
      ['2', '9'],
    ]);
  });

  test('hold no control characters', () => {
    const { terminal, written } = fakeTerminal();
    const lines = progressLines(terminal.stderr);
    lines.show(step(0));
    lines.show({ type: 'warning', code: 'X', message: 'careful' });
    lines.line('by the way');
    lines.end();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the very thing that must not be there
    expect(written.stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    expect(written.stderr).toContain('careful\nby the way\n');
  });
});

test('progress as JSON is one object a line', () => {
  const { terminal, written } = fakeTerminal();
  const json = progressJson(terminal.stderr);
  json.show(step(3));
  const image = () => expect.fail('the image must not be made');
  json.show({ type: 'interrupted', reason: new Error('x'), evaluations: 4, loss: 5, image });
  json.line('by the way');
  json.end();
  expect(
    written.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { type: 'step', iteration: 3, loss: 1234.5678 },
    { type: 'interrupted', evaluations: 4, loss: 5 },
    { type: 'notice', message: 'by the way' },
  ]);
});

test.each([
  [0, '0 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [125, '2 min 05 s'],
  [3600, '1 h 00 min'],
  [3725, '1 h 02 min'],
])('%f seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));
