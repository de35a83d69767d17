import { execFileSync, spawn } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { probeFile, replaceFile, replaceFileBy } from '../../src/node/replace-file';

let folder: string;
const path = (name: string) => join(folder, name);
const bytes = Buffer.from('new');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replace-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('replaceFile', () => {
  test('writes through links to a file that does not exist yet, and leaves them links', async () => {
    await mkdir(path('elsewhere'));
    await symlink('elsewhere/out.png', path('first'));
    await symlink('first', path('second'));
    await probeFile(path('second'));
    await replaceFile(path('second'), bytes);
    expect(await readFile(path('elsewhere/out.png'), 'utf8')).toBe('new');
    for (const name of ['first', 'second']) expect((await lstat(path(name))).isSymbolicLink()).toBe(true);
    expect(await readdir(path('elsewhere'))).toEqual(['out.png']);
  });

  test('refuses a link that leads to itself', async () => {
    await symlink('b', path('a'));
    await symlink('a', path('b'));
    await expect(replaceFile(path('a'), bytes)).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(probeFile(path('a'))).rejects.toMatchObject({ code: 'ELOOP' });
  });

  test('removes temporary files of programs that were killed, and nothing else', async () => {
    const program = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import fs from 'node:fs/promises';
        import { syncBuiltinESMExports } from 'node:module';
        fs.rename = () => { process.kill(process.pid, 'SIGKILL'); };
        syncBuiltinESMExports();
        const { replaceFile } = await import('./src/node/replace-file.ts');
        await replaceFile(${JSON.stringify(path('out.png'))}, Buffer.from('x'));`,
      ],
      { stdio: 'ignore' },
    );
    await new Promise((resolve) => program.once('close', resolve));
    const left = await readdir(folder);
    expect(left).toHaveLength(1);
    await writeFile(path('.other.tmp'), '');
    const hourAgo = Date.now() / 1000 - 3700;
    await utimes(path('.other.tmp'), hourAgo, hourAgo);
    await replaceFile(path('out.png'), bytes);
    // It may be in use by another program that writes right now.
    expect(await readdir(folder)).toEqual([...left, '.other.tmp', 'out.png'].sort());
    await utimes(path(left[0]), hourAgo, hourAgo);
    await replaceFile(path('out.png'), bytes);
    expect((await readdir(folder)).sort()).toEqual(['.other.tmp', 'out.png']);
  });

  test('has the bytes on the disk before the name leads to them, whoever writes them', async () => {
    await writeFile(path('out.mp4'), 'old');
    const atSync: string[] = [];
    await replaceFileBy(path('out.mp4'), async (temporary, handle) => {
      await writeFile(temporary, bytes);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        for (const file of [temporary, path('out.mp4')]) atSync.push(await readFile(file, 'utf8'));
      };
    });
    expect(atSync).toEqual(['new', 'old']);
    expect(await readFile(path('out.mp4'), 'utf8')).toBe('new');
  });

  test('takes names as long as the disk does', async () => {
    const name = `${'x'.repeat(251)}.png`;
    await replaceFile(path(name), bytes);
    expect(await readdir(folder)).toEqual([name]);
  });

  test.skipIf(process.platform === 'win32')(
    'writes to a pipe that is read, and refuses one that is not',
    async () => {
      execFileSync('mkfifo', [path('pipe')]);
      await expect(replaceFile(path('pipe'), bytes)).rejects.toMatchObject({ code: 'ENXIO' });
      const reader = spawn('cat', [path('pipe')], { stdio: ['ignore', 'pipe', 'ignore'] });
      const read = text(reader.stdout);
      const long = Buffer.alloc(2 ** 20, 'a');
      const written = async (): Promise<void> => {
        try {
          await replaceFile(path('pipe'), long);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20));
          return written();
        }
      };
      await written();
      expect((await read).length).toBe(long.length);
    },
  );
});
