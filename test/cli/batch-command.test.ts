import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BatchRecord, DoneRecord } from '../../src/batch/job';
import { batchDisplay } from '../../src/cli/batch/batch-display';
import { bundleCommand } from '../support/bundled-command';
import { pictureFolder, runCommand } from '../support/command-line-folder';
import { until } from '../support/command-process';
import { fakeTerminal } from '../support/fake-terminal';

const path = pictureFolder();
/** One thread: what is painted at once is tested with pools. */
const quick = ['--weights', 'embedded', '--size', '32', '--iterations', '2', '--jobs', '1', '--threads', '1'];
const base = () => ['batch', '--content', path('*.png'), '--style', path('style.jpg'), '-o', path('out')];

let command: Awaited<ReturnType<typeof bundleCommand>>;
beforeAll(async () => {
  command = await bundleCommand();
});
afterAll(() => rm(command.folder, { recursive: true }));

/** Starts the command in a process of its own. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [command.program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    written.stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    written.stderr += String(chunk);
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((done) =>
    child.once('close', (code) => done({ code, ...written })),
  );
  return { child, ended, written };
}

const recordsIn = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as BatchRecord);

describe('batch', () => {
  test('paints what is missing or changed, and ends with a table of what failed', async () => {
    await writeFile(path('bad.png'), 'no picture');
    const first = await start([...base(), ...quick, '--metrics', 'ssim', '--preview', '0.1']).ended;
    expect(first.code).toBe(1);
    expect(first.stdout).toBe(`${path('out')}: 1 painted, 1 failed\n`);
    expect(first.stderr).toMatch(/out\/bad-style\.png {2}content .*\n/);
    expect(first.stderr).toMatch(/error: 1 of 2 pictures failed; /);
    expect((await readdir(path('out'))).sort()).toEqual(['content-style.png', 'manifest.jsonl']);
    expect(await sharp(path('out/content-style.png')).metadata()).toMatchObject({ width: 32, height: 24 });
    const records = recordsIn(await readFile(path('out/manifest.jsonl'), 'utf8'));
    expect(records.find(({ state }) => state === 'done')).toMatchObject({
      values: { content: { ssim: expect.any(Number) } },
    });
    // Without a terminal, progress is lines of JSON.
    const events = first.stderr.split('\n').filter((line) => line.startsWith('{'));
    expect(new Set(events.map((line) => JSON.parse(line).type))).toEqual(
      new Set(['batch', 'pool', 'step', 'picture']),
    );

    await sharp(path('content.png')).negate().toFile(path('bad.png.new'));
    await writeFile(path('bad.png'), await readFile(path('bad.png.new')));
    const args = [...base(), ...quick, '--metrics', 'ssim', '--json'];
    const second = await start(args).ended;
    expect(second.code).toBe(0);
    expect(recordsIn(second.stdout).map(({ state }) => state)).toEqual(['kept', 'done']);

    // A picture that was touched is the same; one that was written anew is not.
    await utimes(path('content.png'), 1, 1);
    await writeFile(path('out/bad-style.png'), 'damaged');
    const third = await start(args).ended;
    expect(recordsIn(third.stdout).map(({ state, content }) => [state, content])).toEqual([
      ['kept', path('content.png')],
      ['done', path('bad.png')],
    ]);
    // The settings of a picture of before, and another backend.
    const repeated = [
      '--settings',
      path('out/content-style.png'),
      '--backend',
      'cpu',
      '--style-weights',
      '1',
    ];
    const fourth = await start([...args, ...repeated, '--seed', '7']).ended;
    expect(fourth.stderr).toContain('The picture may differ from the one that settings are of: ');
    expect(recordsIn(fourth.stdout)).toMatchObject(
      Array(2).fill({ state: 'done', settings: { seed: 7, backend: 'cpu' }, styleWeights: [1] }),
    );
  }, 300_000);

  test('takes pairs from CSV and from JSON lines, with options of their own', async () => {
    await mkdir(path('list'));
    await writeFile(
      path('list/pairs.csv'),
      `content,style,beta,output\n../content.png,../style.jpg,1e4,a.webp\n"${path('content.png')}",../style.jpg,,\n`,
    );
    const csv = await start([
      'batch',
      '--pairs',
      path('list/pairs.csv'),
      '-o',
      path('out'),
      '--json',
      ...quick,
    ]).ended;
    const found = recordsIn(csv.stdout).sort((a, b) => (a.output < b.output ? -1 : 1));
    expect(found).toMatchObject([
      { state: 'done', output: path('out/a.webp'), settings: { beta: 1e4, size: 32 } },
      { state: 'done', output: path('out/content-style.png') },
    ]);
    expect(found[1].settings).not.toHaveProperty('beta');

    const blend = { style: ['style.jpg', 'content.png'], styleWeights: [1, 3], seed: 4, output: 'blend.png' };
    // The settings of a run are those of its picture.
    const again = { style: 'style.jpg', settings: 'out/a.webp', output: 'again.webp' };
    const tfjs = { style: 'style.jpg', engine: 'tfjs', output: 'tfjs.png' };
    const lines = [blend, again, tfjs].map(
      (line) => `${JSON.stringify({ content: 'content.png', ...line })}\n`,
    );
    await writeFile(path('pairs.jsonl'), lines.join('\n'));
    const json = await start([
      ...['batch', '--pairs', path('pairs.jsonl'), '-o', path('out'), '--json', '--weights', 'embedded'],
      ...['--jobs', '1', '--threads', '2', '--iterations', '2'],
    ]).ended;
    const painted = Object.fromEntries(
      recordsIn(json.stdout).map((record) => [record.output.slice(path('out/').length), record]),
    );
    expect(painted).toMatchObject({
      'blend.png': { state: 'done', styleWeights: [1, 3], settings: { seed: 4 }, width: 48 },
      'again.webp': { state: 'done', loss: (found[0] as DoneRecord).loss, width: 32 },
      'tfjs.png': { state: 'done', engine: 'tfjs', width: 48 },
    });
  }, 300_000);

  test.skipIf(process.platform === 'win32')(
    'is stopped by Ctrl-C, and has the folder to itself',
    async () => {
      const long = ['--weights', 'embedded', '--size', '32', '--iterations', '100000'];
      const first = start([...base(), ...long]);
      await until(() => first.written.stderr.includes('"iteration":3'));
      const second = await start([...base(), ...quick]).ended;
      expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('is in use by process') });
      // Its reader goes away, which is no reason to stop.
      first.child.stdout.destroy();
      first.child.kill('SIGINT');
      expect(await first.ended).toMatchObject({
        code: 130,
        stderr: expect.stringContaining('the same command'),
      });
      expect((await readdir(path('out'))).sort()).toEqual(['manifest.jsonl']);
      expect((await start([...base(), ...quick]).ended).code).toBe(0);
    },
    300_000,
  );

  test.skipIf(process.platform !== 'linux')(
    'ends when the disk is full, and goes on later',
    async () => {
      await sharp(path('content.png')).negate().toFile(path('other.png'));
      await mkdir(path('out'));
      await symlink('/dev/full', path('out/content-style.png'));
      const { code, stderr } = await start([...base(), ...quick]).ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(/error: .*the disk is full.* The batch ends here; /);
      await rm(path('out/content-style.png'));
      const again = await start([...base(), ...quick]).ended;
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('2 painted') });
    },
    300_000,
  );

  test.each<[string, () => readonly string[]]>([
    ['There is no content', () => ['-o', path('out')]],
    ['There is no style', () => ['--content', path('*.png'), '-o', path('out')]],
    [
      "required option '-o, --output <folder>'",
      () => ['--content', path('*.png'), '--style', path('style.jpg')],
    ],
    ['--style has no effect beside', () => ['--pairs', 'a.csv', '--style', 'b', '-o', path('out')]],
    ['which finds no file', () => [...base().slice(1), '--content', path('none-*.png')]],
    ['no file that exists', () => [...base().slice(1), '--content', path('none.png')]],
    ['a folder; accepted: a pattern such as', () => [...base().slice(1), '--content', path('')]],
    ["--name is 'x'", () => [...base().slice(1), '--name', 'x']],
    ['--size is 3', () => [...base().slice(1), '--size', '3']],
    ['--jobs is 0', () => [...base().slice(1), '--jobs', '0']],
    ["did you mean 'ssim'", () => [...base().slice(1), '--metrics', 'ssmi']],
    ['accepted: a file with the extension .csv', () => ['--pairs', path('style.jpg'), '-o', path('out')]],
    ['cannot be read', () => ['--pairs', path('none.csv'), '-o', path('out')]],
    ['--style-weights has 2 numbers', () => [...base().slice(1), '--style-weights', '1,2']],
    ["--backend is 'gpu'", () => [...base().slice(1), '--backend', 'gpu']],
    ["Line 2 of pairs '", () => ['--pairs', path('wrong.csv'), '-o', path('out')]],
    ['is no object of JSON', () => ['--pairs', path('wrong.jsonl'), '-o', path('out')]],
  ])('refuses before any work: %s', async (message, args) => {
    await writeFile(path('wrong.csv'), 'content,style,betta\na.png,b.png,1\n');
    await writeFile(path('wrong.jsonl'), '[1]\n');
    const { code, stderr } = await runCommand(['batch', ...args()]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    await expect(readdir(path('out'))).rejects.toThrow();
  });
});

test('a terminal shows a bar for the whole and a line for each running picture', () => {
  const { terminal, written } = fakeTerminal({ isTTY: true, columns: 60, env: { NO_COLOR: '1' } });
  const display = batchDisplay(terminal, { json: false, quiet: false });
  const job = (name: string) => ({
    id: name,
    content: '',
    style: '',
    output: `out/${name}.png`,
    settings: {},
  });
  const step = (name: string, done: number) =>
    ({
      type: 'step',
      job: job(name),
      iteration: 3,
      iterations: 10,
      evaluations: 4,
      loss: 12.5,
      done,
      secondsLeft: 7,
    }) as const;
  display.show({ type: 'batch', jobs: 4, kept: 1 });
  display.show(step('a', 0.5));
  display.show(step('b', 0.5));
  display.show({ type: 'warning', job: job('a'), code: 'X', message: 'beware' });
  display.record({ ...job('a'), state: 'failed' } as unknown as BatchRecord);
  display.record({ ...job('b'), state: 'done' } as unknown as BatchRecord);
  display.record({ ...job('c'), state: 'done' } as unknown as BatchRecord);
  display.end();
  expect(written.stderr).toContain('1 of 4');
  expect(written.stderr).toContain('out/a.png: beware\n');
  expect(written.stderr).toMatch(/4 of 4 {2}1 failed {2}0 s left\n$/);
});
