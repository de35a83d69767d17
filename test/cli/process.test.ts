import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandLine, startCommand, until } from '../support/command-process';

/** It makes terminals, which Node cannot. */
const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;
if (!hasPython) console.warn('skipped: a terminal that closes (no python3 with the module pty)');

let folder: string;
const path = (name: string) => join(folder, name);
/** Small and quick, on the network that is always there. */
const quick = ['--weights', 'embedded', '--size', '32', '--threads', '1'];
const isPicture = async (name: string | Buffer | undefined) => (await sharp(name).metadata()).width === 32;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'process-'));
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const picture = sharp({ create: { width: 48, height: 36, channels: 3, background: '#888', noise } });
  await picture.toFile(path('content.png'));
  await picture.jpeg().toFile(path('style.jpg'));
  await mkdir(path('temporary'));
});
afterEach(() => rm(folder, { recursive: true }));

const pictures = () => [path('content.png'), path('style.jpg'), ...quick];
const kept = async () => (await readdir(path('temporary'))).filter((name) => name.startsWith('out-'));

describe.skipIf(process.platform === 'win32')('a run goes on and ends with its picture', () => {
  test('when the reader of its progress has read enough, as in 2>&1 | head -1', async () => {
    const { child, ended } = startCommand([
      ...pictures(),
      ...['--iterations', '40', '--json', '-o', path('out.png')],
    ]);
    child.stderr?.once('data', () => child.stderr?.destroy());
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ code: 0 });
    expect(await isPicture(path('out.png'))).toBe(true);
  });

  // What --json prints is what a script waits for: its loss is an error, though the picture is there.
  test.skipIf(process.platform !== 'linux').each([
    [[], 0],
    [['--json'], 1],
  ])('when the disk of its log and its results is full, with %j', async (flags, code) => {
    const full = openSync('/dev/full', 'w');
    try {
      const { ended } = startCommand([...pictures(), '--iterations', '5', ...flags, '-o', path('out.png')], {
        stdio: ['ignore', full, full],
      });
      expect(await ended).toMatchObject({ code });
    } finally {
      closeSync(full);
    }
    expect(await isPicture(path('out.png'))).toBe(true);
  });
});

describe.skipIf(process.platform !== 'linux')('a picture that cannot be written is kept elsewhere', () => {
  test('when the disk is full at the end', async () => {
    const { ended } = startCommand(
      [...pictures(), '--iterations', '2', '-q', '--format', 'png', '-o', '/dev/full'],
      { env: { TMPDIR: path('temporary') } },
    );
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: '\/dev\/full' cannot be written: the disk is full.* The picture is kept as '.*full-.*\.png'\.\n$/,
    );
    const [name] = await readdir(path('temporary')).then((all) =>
      all.filter((one) => one.startsWith('full-')),
    );
    expect(stderr).toContain(path(`temporary/${name}`));
    expect(await isPicture(path(`temporary/${name}`))).toBe(true);
  });

  test('when stdout is on a full disk, or a pipe without a reader', async () => {
    const env = { TMPDIR: path('temporary') };
    const args = [...pictures(), '--iterations', '2', '-q', '-o', '-'];
    const full = openSync('/dev/full', 'w');
    const onFull = startCommand(args, { stdio: ['ignore', full, 'pipe'], env });
    const unread = startCommand(args, { env });
    unread.child.stdout?.destroy();
    const [first, second] = await Promise.all([onFull.ended, unread.ended]);
    closeSync(full);
    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('stdout: the disk is full') });
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('that reads it has ended') });
    expect(await kept()).toHaveLength(2);
    for (const name of await kept()) expect(await isPicture(path(`temporary/${name}`))).toBe(true);
  });
});

describe('stdin and stdout', () => {
  test('hold pictures, and stdout nothing else', async () => {
    const { child, ended } = startCommand(
      ['-', path('style.jpg'), ...quick, '--iterations', '2', '-o', '-', '--format', 'webp'],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    child.stdin?.end(await readFile(path('content.png')));
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/-: 32x24, loss .*\n$/) });
    expect(await sharp(stdout).metadata()).toMatchObject({ format: 'webp', width: 32, height: 24 });
  });

  test('a file as stdout gets the picture whole', async () => {
    const file = openSync(path('out.png'), 'w');
    const { ended } = startCommand([...pictures(), '--iterations', '2', '-q', '-o', '-'], {
      stdio: ['ignore', file, 'pipe'],
    });
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    closeSync(file);
    expect(await isPicture(path('out.png'))).toBe(true);
  });
});

describe.skipIf(process.platform === 'win32')('signals', () => {
  const long = () => [...pictures(), '--iterations', '100000', '--json', '-o', path('out.png')];

  test.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)(
    '%s: the picture so far is saved, then %i, and nothing is left running',
    async (signal, expected) => {
      const { child, ended, stderr } = startCommand(long());
      await until(() => stderr().includes('"iteration":3'));
      child.kill(signal);
      // Twice: npm and npx forward SIGINT; the shell and the system both send SIGHUP.
      child.kill(signal);
      expect(await ended).toMatchObject({
        code: expected,
        stderr: expect.stringContaining('saved the picture so far'),
      });
      expect(await isPicture(path('out.png'))).toBe(true);
    },
  );

  test.each([
    ['waits for a pipe as its content', () => [path('pipe'), path('style.jpg'), ...quick]],
    ['is busy with a large style', () => [...pictures(), '--style-size', '2500']],
  ])('end a run that %s', async (_, args) => {
    execFileSync('mkfifo', [path('pipe')]);
    const { child, ended } = startCommand([...args(), '--json', '-o', path('made/out.png')]);
    // Long enough for the program to be there; there is nothing that it could say.
    await new Promise((done) => setTimeout(done, 2000));
    const start = performance.now();
    child.kill('SIGINT');
    const { code, signal } = await ended;
    // A shell shows 130 for both.
    expect(signal ?? code).toBe(signal === null ? 130 : 'SIGINT');
    expect(performance.now() - start).toBeLessThan(3000);
    expect(await readdir(folder)).not.toContain('made');
  });

  test.skipIf(!hasPython)('a terminal that closes: the picture so far is saved', async () => {
    const script = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
said = b''
while b'  loss ' not in said: said += os.read(terminal, 4096)
os.close(terminal)
status = os.waitpid(pid, 0)[1]
print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
`;
    const command = commandLine([...pictures(), '--iterations', '100000', '-o', path('out.png')]);
    const { stdout } = await promisify(execFile)('python3', ['-c', script, ...command]);
    // The signal's number: a shell shows 129.
    expect(stdout.trim()).toBe('1');
    expect(await isPicture(path('out.png'))).toBe(true);
  });

  test('the second one ends what is deaf', async () => {
    const { child, ended, stderr } = startCommand([], { program: 'busy-program' });
    await until(() => stderr().includes('ready'));
    child.kill('SIGINT');
    await until(() => stderr().includes('busy'));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: null, signal: 'SIGINT' });
  });
});
