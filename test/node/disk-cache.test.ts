import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultCacheFolder, diskCache } from '../../src/node/disk-cache';
import { weightCacheContract } from '../contracts/byte-cache';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

weightCacheContract('disk', async () => diskCache(await mkdtemp(join(folder, 'x'))));

describe('the cache on disk', () => {
  it('is where the environment says', () => {
    vi.stubEnv('TFJS_STYLE_TRANSFER_CACHE', '/somewhere');
    expect(defaultCacheFolder()).toBe('/somewhere');
    vi.stubEnv('TFJS_STYLE_TRANSFER_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', '/caches');
    if (process.platform === 'linux') expect(defaultCacheFolder()).toBe('/caches/tfjs-style-transfer');
    vi.stubEnv('XDG_CACHE_HOME', '');
    if (process.platform === 'linux')
      expect(defaultCacheFolder()).toBe(join(homedir(), '.cache', 'tfjs-style-transfer'));
  });

  it('makes nothing before the first write', async () => {
    const cache = diskCache(join(folder, 'new', 'one'));
    expect(await cache.read('a')).toBeUndefined();
    expect(await cache.list()).toEqual([]);
    await cache.delete('a');
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses keys that lead out of it', async () => {
    const cache = diskCache(folder);
    for (const key of ['../a', '/etc/passwd', 'a/../../b']) {
      await expect(cache.read(key)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
      await expect(cache.write(key, new Uint8Array(1))).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
      await expect(cache.delete(key)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    }
  });

  it('leaves nothing half-written, removes what killed processes left, and no other file of the folder', async () => {
    const cache = diskCache(folder);
    const hours = Date.now() / 1000 - 7200;
    const killed = '.tfjs-style-transfer-killed.tmp';
    for (const name of [killed, '.gitignore', '.env']) {
      await writeFile(join(folder, name), 'half');
      await utimes(join(folder, name), hours, hours);
    }
    await writeFile(join(folder, '.tfjs-style-transfer-working.tmp'), 'half');
    await cache.write('a', new Uint8Array(1000));
    expect(await readdir(folder)).toEqual(['.env', '.gitignore', '.tfjs-style-transfer-working.tmp', 'a']);
    expect(await cache.list()).toEqual([{ key: 'a', bytes: 1000 }]);
  });

  it.skipIf(process.getuid?.() === 0)('fails to write where it may not', async () => {
    await chmod(folder, 0o500);
    await expect(diskCache(folder).write('a', new Uint8Array(1))).rejects.toMatchObject({ code: 'EACCES' });
  });

  it('takes writes of several processes at once', async () => {
    const write = `
      import { diskCache } from './src/node/disk-cache.ts';
      const cache = diskCache(process.argv[2]);
      for (let i = 0; i < 30; i++) {
        await cache.write('a/b', new Uint8Array(200_000).fill(Number(process.argv[1])));
        const found = await cache.read('a/b');
        if (found.length !== 200_000 || found.some((value) => value !== found[0])) process.exit(3);
      }`;
    const run = (value: number) =>
      promisify(execFile)(process.execPath, [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        write,
        String(value),
        folder,
      ]);
    await Promise.all([run(1), run(2)]);
    expect((await diskCache(folder).read('a/b'))?.length).toBe(200_000);
  });
});
