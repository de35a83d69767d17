import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchRecord, DoneRecord } from '../../src/batch/job';
import { bundleCommand } from '../support/bundled-command';

/** Kills in all, and pictures of a batch. */
const [kills, pictures] = [30, 6];

let folder: string;
let command: Awaited<ReturnType<typeof bundleCommand>>;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  command = await bundleCommand();
  folder = await mkdtemp(join(tmpdir(), 'kills-'));
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  for (let i = 0; i < pictures; i++)
    await sharp({ create: { width: 40, height: 32, channels: 3, background: '#888', noise } }).toFile(
      path(`photo${i}.png`),
    );
  await sharp({ create: { width: 40, height: 40, channels: 3, background: '#888', noise } }).toFile(
    path('style.jpg'),
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(command.folder, { recursive: true });
});

function start(out: string): { readonly child: ChildProcess; readonly code: Promise<number | null> } {
  const args = ['batch', '--content', path('photo*.png'), '--style', path('style.jpg'), '-o', path(out)];
  const settings = ['--weights', 'embedded', '--size', '32', '--iterations', '2', '--jobs', '2', '-q'];
  const child = spawn(process.execPath, [command.program, ...args, ...settings], { stdio: 'ignore' });
  return { child, code: new Promise((ended) => child.once('exit', ended)) };
}

/** The records of a manifest, without a last line that was cut short. */
async function recordsOf(out: string): Promise<readonly BatchRecord[]> {
  const text = await readFile(path(`${out}/manifest.jsonl`), 'utf8').catch(() => '');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as BatchRecord]));
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/**
 * SHA-256 of what `read` gives of each picture that is there. Files tell how many threads painted them, which depends
 * on how many pictures were left; pixels do not.
 */
async function picturesIn(
  out: string,
  read: (bytes: Buffer) => Promise<Buffer> = (bytes) => sharp(bytes).raw().toBuffer(),
): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(path(out)).catch(() => [])).filter((name) => name.endsWith('.png'));
  const hashOf = async (name: string) => sha256(await read(await readFile(path(`${out}/${name}`))));
  return Object.fromEntries(await Promise.all(names.sort().map(async (name) => [name, await hashOf(name)])));
}

test('a batch that is killed at any moment goes on: nothing lost, nothing half written, nothing twice', async () => {
  const begun = performance.now();
  expect(await start('whole').code).toBe(0);
  const usual = performance.now() - begun;
  const expected = await picturesIn('whole');
  expect(Object.keys(expected)).toHaveLength(pictures);

  const moments = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { numRuns: 3 * kills, seed: 19 });
  let killed = 0;
  for (let round = 0; killed < kills; round++) {
    const out = `out${round}`;
    for (let ended = false; !ended; ) {
      const before = await recordsOf(out);
      const { child, code } = start(out);
      const timer = setTimeout(() => child.kill('SIGKILL'), usual * moments[killed % moments.length]);
      ended = (await code) !== null;
      clearTimeout(timer);
      if (!ended) killed++;
      // Whatever is there is whole, and what a manifest says is so.
      const found = await picturesIn(out);
      expect(expected).toMatchObject(found);
      const files = await picturesIn(out, async (bytes) => bytes);
      const after = await recordsOf(out);
      expect(after.slice(0, before.length)).toEqual(before);
      for (const record of after as DoneRecord[]) {
        expect(record.state).toBe('done');
        expect(files[record.output.slice(path(out).length + 1)]).toBe(record.sha256);
      }
      expect(new Set(after.map(({ id }) => id)).size).toBe(after.length);
    }
    expect(await picturesIn(out)).toEqual(expected);
    const visible = (await readdir(path(out))).filter((name) => !name.startsWith('.'));
    expect(visible.sort()).toEqual([...Object.keys(expected), 'manifest.jsonl'].sort());
  }
  expect(killed).toBeGreaterThanOrEqual(kills);
}, 900_000);
