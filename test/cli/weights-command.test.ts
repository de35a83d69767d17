import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../../src/cli/exit-codes';
import { weightsCommand } from '../../src/cli/weights-command';
import { fakeTerminal } from '../support/fake-terminal';
import { FileServer } from '../support/file-server';
import { modelFiles } from '../support/small-model';

let folder = '';
let server = new FileServer(new Map());
let fake = fakeTerminal();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-'));
  vi.stubEnv('TFJS_STYLE_TRANSFER_CACHE', join(folder, 'cache'));
  server = await new FileServer(modelFiles(['conv1_1', 'conv1_2'], (i) => [7168, 147712][i])).start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function run(...args: string[]): Promise<string> {
  fake = fakeTerminal();
  await weightsCommand(fake.terminal).exitOverride().parseAsync(args, { from: 'user' });
  return fake.written.stdout;
}

const cacheFolder = () => join(folder, 'cache');

describe('the command weights', () => {
  it('fetches what is asked for, once, and lists and locates it', async () => {
    const fetched = await run('fetch', server.url, '--to', 'conv1_2');
    expect(fetched).toBe(`VGG-19 from ${server.url}, conv1_1 to conv1_2: in ${cacheFolder()}\n`);
    server.requests.length = 0;
    await run('fetch', server.url, '--to', 'conv1_2');
    expect(server.requests).toEqual([]);
    const { files } = JSON.parse(await run('list', '--json'));
    expect(
      files.map(({ key, bytes }: { key: string; bytes: number }) => [key.split('/').at(-1), bytes]).slice(1),
    ).toEqual([
      ['shard1.bin', 7168],
      ['shard2.bin', 147712],
    ]);
    expect(await run('list')).toMatch(
      / {6}147712 {2}127\.0\.0\.1_\d+\/[0-9a-f]{16}\/shard2\.bin\n3 files, 0\.2 MB in /,
    );
    expect(await run('locate')).toBe(`${cacheFolder()}\n`);
  });

  it('finds and removes what is damaged', async () => {
    await run('fetch', server.url, '--to', 'conv1_1');
    expect(await run('verify')).toBe('2 files checked, 0 damaged\n');
    const [key] = JSON.parse(await run('list', '--json'))
      .files.map((file: { key: string }) => file.key)
      .slice(-1);
    await writeFile(join(cacheFolder(), key), 'damaged');
    await expect(run('verify')).rejects.toMatchObject({
      code: 'CACHE_CORRUPT',
      message: `Damaged and removed: ${key}.`,
    });
    expect(await run('verify', '--json')).toBe('{\n  "checked": 1,\n  "damaged": []\n}\n');
  });

  it('deletes a file, a folder, or all', async () => {
    await run('fetch', server.url, '--to', 'conv1_1');
    const keys: string[] = JSON.parse(await run('list', '--json')).files.map(
      (file: { key: string }) => file.key,
    );
    expect(await run('delete', keys[0])).toMatch(/^2 files removed/);
    expect(await run('delete', keys[1].split('/')[0])).toMatch(/^2 files removed/);
    expect(await run('delete', '--all')).toMatch(/^0 files removed/);
    await expect(run('delete', 'nothing')).rejects.toMatchObject({ code: 'NOT_CACHED' });
    await expect(run('delete')).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  });

  it('converts to a folder that it can read', async () => {
    const half = join(folder, 'half');
    const quarter = join(folder, 'quarter');
    expect(await run('convert', 'embedded', half)).toBe(`${half}: 5 convolutions, float16, 1.1 MB\n`);
    expect(await run('convert', half, quarter, '--format', 'int8', '--to', 'conv2_1')).toMatch(
      /3 convolutions, int8, 0\.1 MB/,
    );
    expect(
      JSON.parse(await readFile(join(quarter, 'model.json'), 'utf8')).userDefinedMetadata.weightConvention,
    ).toBe('torchvision');
  });

  it('keeps what it has when it is interrupted', async () => {
    server.interfere = ({ path }) => {
      if (path === 'shard2.bin') fake.stop('SIGINT');
      return path === 'shard2.bin';
    };
    await expect(run('fetch', server.url, '--to', 'conv1_2')).rejects.toBeInstanceOf(Interrupted);
    expect(await run('list')).toMatch(/shard1\.bin\n2 files/);
  });

  it('refuses layers and formats that do not exist', async () => {
    await expect(run('fetch', server.url, '--to', 'conv9_9')).rejects.toMatchObject({ code: 'UNKNOWN_NAME' });
    await expect(run('convert', 'embedded', folder, '--format', 'zip')).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
    });
  });
});
