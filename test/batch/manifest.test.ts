import fs, { appendFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lockFolder } from '../../src/batch/folder-lock';
import type { BatchRecord } from '../../src/batch/job';
import { Manifest } from '../../src/batch/manifest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifest-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const record = (id: string, state = 'done') => ({ id, state, inputs: {} }) as unknown as BatchRecord;
const file = () => join(folder, 'manifest.jsonl');
const lines = async () => (await readFile(file(), 'utf8')).split('\n');

describe('a manifest', () => {
  test('gives back the last record of each job', async () => {
    const first = await Manifest.open(folder);
    await Promise.all([first.append(record('a', 'failed')), first.append(record('b'))]);
    await first.append(record('a'));
    expect(first.record('a')).toMatchObject({ state: 'done' });
    await first.close();
    await first.close();
    expect(await lines()).toHaveLength(4);
    const second = await Manifest.open(folder);
    expect(second.record('a')).toEqual(record('a'));
    expect(second.record('b')).toEqual(record('b'));
    expect(second.record('c')).toBeUndefined();
    await second.close();
    expect(await readdir(folder)).toEqual(['manifest.jsonl']);
  });

  test('loses a last line that a crash has cut short, and nothing else', async () => {
    const first = await Manifest.open(folder);
    await first.append(record('ä'));
    await first.close();
    await appendFile(file(), '{"id":"b","sta');
    const second = await Manifest.open(folder);
    expect(second.record('b')).toBeUndefined();
    await second.append(record('c'));
    await second.close();
    expect((await lines()).map((line) => line && JSON.parse(line).id)).toEqual(['ä', 'c', '']);
  });

  test.each(['{"id":', '[]', '{"id":"a"}', 'null'])(
    'refuses the line %j in its middle, by its number',
    async (line) => {
      await writeFile(file(), `${JSON.stringify(record('a'))}\n${line}\n${JSON.stringify(record('b'))}\n`);
      await expect(Manifest.open(folder)).rejects.toMatchObject({
        code: 'MALFORMED_MANIFEST',
        message: expect.stringContaining('Line 2 of '),
      });
      // It has let go of the folder.
      await writeFile(file(), '');
      await (await Manifest.open(folder)).close();
    },
  );

  test('says that the disk is full, and ends with the record before', async () => {
    const manifest = await Manifest.open(folder);
    await manifest.append(record('a'));
    const { file: handle } = manifest as unknown as {
      file: { appendFile(line: Uint8Array): Promise<void>; datasync(): Promise<void> };
    };
    const append = handle.appendFile.bind(handle);
    vi.spyOn(handle, 'appendFile').mockImplementationOnce(async (line) => {
      await append(line.subarray(0, 5));
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    await expect(manifest.append(record('b'))).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
      message: expect.stringContaining('the disk is full'),
    });
    expect(manifest.record('b')).toBeUndefined();
    await manifest.append(record('c'));
    await manifest.close();
    expect((await lines()).map((line) => line && JSON.parse(line).id)).toEqual(['a', 'c', '']);
  });

  test.skipIf(process.platform !== 'linux')('refuses a device in its place', async () => {
    await symlink('/dev/full', file());
    await expect(Manifest.open(folder)).rejects.toMatchObject({ code: 'NOT_WRITABLE' });
  });

  test('belongs to one batch at a time', async () => {
    const first = await Manifest.open(folder);
    await expect(Manifest.open(folder)).rejects.toMatchObject({
      code: 'IN_USE',
      message: expect.stringContaining(`process ${process.pid};`),
    });
    await first.close();
    await (await Manifest.open(folder)).close();
  });
});

describe('a lock', () => {
  const holder = (changes: object) =>
    writeFile(
      join(folder, '.batch.lock'),
      JSON.stringify({ host: hostname(), pid: process.pid, started: 'before', token: 'x', ...changes }),
    );

  test.each([
    ['of a process that is gone', { pid: 2 ** 22 + 1 }],
    ['of a process whose number another one has now', {}],
  ])('%s counts no more', async (_, changes) => {
    await holder(changes);
    const lock = await lockFolder(folder, 'batch');
    await lock.release();
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('of another machine has to be removed by hand', async () => {
    await holder({ host: 'elsewhere', pid: 7 });
    await expect(lockFolder(folder, 'batch')).rejects.toMatchObject({
      code: 'IN_USE',
      message: expect.stringMatching(/process 7 on elsewhere;.*\.batch\.lock' is removed\.$/),
    });
  });

  test('that cannot be read stays where it is', async () => {
    await symlink('.batch.lock', join(folder, '.batch.lock'));
    await expect(lockFolder(folder, 'batch')).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
      message: expect.stringContaining('ELOOP'),
    });
    expect(await readdir(folder)).toEqual(['.batch.lock']);
  });

  test('that is made while another one is found gone is not removed', async () => {
    await holder({ host: 'elsewhere' });
    const { readFile: read } = fs;
    let times = 2;
    fs.readFile = (async (file: string, ...others: []) => {
      if (!file.endsWith('.batch.lock') || times-- <= 0) return read(file, ...others);
      throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    }) as typeof read;
    syncBuiltinESMExports();
    try {
      await expect(lockFolder(folder, 'batch')).rejects.toMatchObject({ code: 'IN_USE' });
    } finally {
      fs.readFile = read;
      syncBuiltinESMExports();
    }
  });

  test('of no text of this program counts no more', async () => {
    await writeFile(join(folder, '.batch.lock'), '');
    await (await lockFolder(folder, 'batch')).release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('is got by one of many who find that its holder is gone', async () => {
    await holder({ pid: 2 ** 22 + 1 });
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder, 'batch')));
    const got = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(got).toHaveLength(1);
    await got[0].release();
    expect(await readdir(folder)).toEqual([]);
  });
});
