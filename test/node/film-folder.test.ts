import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FilmFolder, type Heading, headingFormat } from '../../src/node/video/film-folder';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'film-folder-'));
});
afterEach(() => rm(folder, { recursive: true }));

const heading: Heading = {
  format: headingFormat,
  formatVersion: 1,
  library: '0',
  film: { frames: 2 },
  styles: [],
  options: {},
};
const record = { loss: 1, iterations: 2, evaluations: 3, seconds: 4, computed: 'wasm' };
const png = Buffer.from('a frame');

describe('a folder of frames', () => {
  test('is made, goes on after a stop, and is removed whole', async () => {
    const path = join(folder, 'out.mp4.frames');
    await (await FilmFolder.open(path, heading)).add(record, png);
    // A program that was killed while it wrote a frame.
    await writeFile(join(path, '.tfjs-style-transfer-1.tmp'), '');
    const again = await FilmFolder.open(path, heading);
    expect(again.frames).toHaveLength(1);
    await again.add(record, png);
    expect(await readFile(again.file(1))).toEqual(png);
    await again.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  test('may be there before, if it is empty', async () => {
    await (await FilmFolder.open(folder, heading)).add(record, png);
    expect((await readdir(folder)).sort()).toEqual(['000001.png', 'film.jsonl']);
  });

  test.each(['photo.jpg', '000001.png', 'film.jsonl'])(
    'is refused if it has %s, which stays',
    async (name) => {
      await writeFile(join(folder, name), 'of the user');
      await expect(FilmFolder.open(folder, heading)).rejects.toMatchObject({
        code: 'WORK_DIFFERS',
        message: expect.stringContaining(`has '${name}' in it and no list of frames`),
      });
      expect(await readFile(join(folder, name), 'utf8')).toBe('of the user');
      expect(await readdir(folder)).toEqual([name]);
    },
  );

  test('leaves files that are not its own when it is removed', async () => {
    const frames = await FilmFolder.open(folder, heading);
    await frames.add(record, png);
    await mkdir(join(folder, 'films'));
    await writeFile(join(folder, 'out.mp4'), 'a film');
    await writeFile(join(folder, '000009.png'), 'a picture');
    await frames.remove();
    expect((await readdir(folder)).sort()).toEqual(['000009.png', 'films', 'out.mp4']);
  });

  test.skipIf(process.platform !== 'linux')('says that the disk is full', async () => {
    const frames = await FilmFolder.open(folder, heading);
    await rm(join(folder, 'film.jsonl'));
    await symlink('/dev/full', join(folder, 'film.jsonl'));
    await expect(frames.add(record, png)).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
      message: expect.stringContaining('the disk is full'),
    });
    expect(frames.frames).toHaveLength(0);
  });

  test('says that it cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(FilmFolder.open(join(folder, 'file/frames'), heading)).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
    });
  });
});
