import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { writeFilm } from '../../src/node/video/write-film';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-film-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe.skipIf(process.platform === 'win32')('a film that cannot be written', () => {
  const film = { path: 'in.mp4', width: 640, height: 480, rate: '25/1' } as Parameters<typeof writeFilm>[1];
  // Far more than a pipe holds.
  const frames = async function* () {
    for (let i = 0; i < 20; i++) yield new Uint8Array(3 * 640 * 480);
  };
  const ffmpegThat = async (script: string) => {
    const program = join(folder, 'ffmpeg');
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
    vi.stubEnv('FFMPEG_PATH', program);
  };

  test('is told with the words of ffmpeg', async () => {
    await ffmpegThat(
      'head -c 100000 >/dev/null; exec <&-; sleep 0.2; echo No space left on device >&2; exit 1',
    );
    await expect(writeFilm(join(folder, 'out.mp4'), film, frames(), 'copy')).rejects.toMatchObject({
      code: 'FFMPEG_FAILED',
      message: expect.stringContaining('No space left on device'),
    });
    expect(await readdir(folder)).toEqual(['ffmpeg']);
  });

  test("ends with the signal's reason", async () => {
    await ffmpegThat('exec sleep 30');
    const stop = new AbortController();
    const written = writeFilm(join(folder, 'out.mp4'), film, frames(), 'copy', stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 200);
    await expect(written).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual(['ffmpeg']);
  });
});
