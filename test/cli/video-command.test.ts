import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, test, vi } from 'vitest';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';
import { startCommand, until } from '../support/command-process';

const hasFfmpeg = spawnSync(process.env.FFMPEG_PATH || 'ffmpeg', ['-version']).status === 0;
if (!hasFfmpeg) console.warn('skipped: films (no ffmpeg; install it or set FFMPEG_PATH)');
const withFfmpeg = test.skipIf(!hasFfmpeg);

const path = pictureFolder();

const run = promisify(execFile);
const ffmpeg = (...args: string[]) =>
  run(process.env.FFMPEG_PATH || 'ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args]);

/** A film of five frames at 12.5 a second, of 65 x 49 pixels, with sound. */
async function makeFilm(name = 'in.mp4', seconds = '0.4'): Promise<string> {
  const sources = [
    '-f',
    'lavfi',
    '-i',
    'testsrc=size=65x49:rate=25/2',
    '-f',
    'lavfi',
    '-i',
    'sine=frequency=440',
  ];
  await ffmpeg(
    ...sources,
    '-t',
    seconds,
    '-pix_fmt',
    'yuv444p',
    '-c:v',
    'libx264',
    '-c:a',
    'aac',
    path(name),
  );
  return path(name);
}

/** Size, rate and number of frames of a film, its pixel format, and the bytes of its sound. */
async function describeFilm(film: string) {
  const { stdout } = await run(
    process.env.FFMPEG_PATH || 'ffmpeg',
    [...['-v', 'error', '-i', film, '-map', '0:v:0', '-f', 'yuv4mpegpipe', '-pix_fmt', 'yuv420p', '-']],
    { encoding: 'latin1', maxBuffer: 2 ** 27 },
  );
  const [header] = stdout.split('\n');
  const sound = await run(process.env.FFMPEG_PATH || 'ffmpeg', [
    ...['-v', 'error', '-i', film, '-map', '0:a', '-c', 'copy', '-f', 'md5', '-'],
  ]).catch(() => ({ stdout: 'none' }));
  // ffmpeg tells the stored format on stderr, and ends with 1 for want of an output.
  const { stderr } = spawnSync(process.env.FFMPEG_PATH || 'ffmpeg', ['-hide_banner', '-i', film], {
    encoding: 'utf8',
  });
  return {
    size: /W(\d+) H(\d+)/.exec(header)?.slice(1).map(Number),
    rate: /F(\d+:\d+)/.exec(header)?.[1],
    frames: stdout.split('FRAME').length - 1,
    stored: /Video: .*?(yuv\w+(?:\([^)]*\))?)/.exec(stderr)?.[1],
    sound: sound.stdout.trim(),
  };
}

const video = (args: readonly string[]) => runCommand(['video', ...args]);
const flags = [...quick, '--frame-iterations', '2'];

describe('video', () => {
  withFfmpeg(
    'paints a film with its frames, its rate and its sound, in even sides',
    async () => {
      const film = await makeFilm();
      await runCommand([
        path('content.png'),
        path('style.jpg'),
        ...flags.slice(0, -2),
        '-o',
        path('one.png'),
      ]);
      // Its settings are those of a picture.
      const settings = ['--settings', path('one.png'), '--frame-iterations', '2'];
      const { code, stdout, stderr } = await video([
        film,
        path('style.jpg'),
        ...settings,
        '-o',
        path('out.mp4'),
      ]);
      await rm(path('one.png'));
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stderr.match(/The picture may differ from the one that settings are of/g)).toHaveLength(1);
      expect(stdout).toMatch(/out\.mp4: 32x24, 5 frames, \d+ s\n$/);
      const [before, after] = [await describeFilm(film), await describeFilm(path('out.mp4'))];
      expect(before).toMatchObject({ size: [65, 49], rate: '25:2', frames: 5 });
      expect(after).toMatchObject({ size: [32, 24], rate: '25:2', frames: 5, sound: before.sound });
      expect(after.stored).toMatch(/yuv420p\(tv, bt709/);
      expect(before.sound).toMatch(/MD5=/);
      // The frames are gone, and nothing else is left behind.
      expect((await readdir(path())).sort()).toEqual(['content.png', 'in.mp4', 'out.mp4', 'style.jpg']);
    },
    120_000,
  );

  withFfmpeg(
    'makes odd sides even without --size, and shows each frame',
    async () => {
      const film = await makeFilm('in.mkv', '0.08');
      const args = [film, path('style.jpg'), '--weights', 'embedded', '--threads', '1', '--iterations', '1'];
      const preview = path('preview.png');
      const { code, stderr } = await video([...args, '--preview', preview, '--json', '-o', path('out.webm')]);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      // The film's 65 x 49.
      expect(await describeFilm(path('out.webm'))).toMatchObject({ size: [66, 50], frames: 1 });
      expect(await sharp(preview).metadata()).toMatchObject({ width: 66, height: 50 });
      const events = stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string });
      expect(events.at(-1)).toMatchObject({ type: 'painted', index: 0, of: 1, file: '000001.png' });
      // AAC does not go into WebM.
      expect(events[0]).toMatchObject({ type: 'warning', code: 'SOUND_ENCODED' });
    },
    120_000,
  );

  withFfmpeg(
    'goes on after kill -9 and paints the same film, and after all other options refuses',
    async () => {
      const film = await makeFilm();
      // Frames that take long enough to be interrupted.
      const args = [film, path('style.jpg'), ...quick, '--tolerance', '0', '--frame-iterations', '60'];
      const whole = await video([...args, '-o', path('whole.mp4'), '--keep-frames']);
      expect(whole.code).toBe(0);
      const work = path('out.mp4.frames');
      const list = `${work}/film.jsonl`;
      // The first line is of the film, the others are of frames.
      const done = () => (existsSync(list) ? readFileSync(list, 'utf8').split('\n').length - 2 : 0);
      for (const frames of [1, 3]) {
        const { child, ended } = startCommand(['video', ...args, '-o', path('out.mp4')]);
        await until(() => done() >= frames || child.exitCode !== null);
        child.kill('SIGKILL');
        expect(await ended).toMatchObject({ signal: 'SIGKILL' });
      }
      expect(done()).toBeGreaterThanOrEqual(3);
      // A line that was being written.
      await writeFile(list, '{"frame":', { flag: 'a' });
      const other = await video([...args, '--temporal', '2', '-o', path('out.mp4')]);
      expect(other.code).toBe(2);
      expect(other.stderr).toContain(
        'painted with temporal 1, now 2; accepted: the same film, styles and options',
      );
      await copyFile(path('whole.mp4.frames/000005.png'), path('last.png'));
      const last = await video([...args, '-o', path('out.mp4'), '--keep-frames', '--json']);
      expect(last.code).toBe(0);
      expect((JSON.parse(last.stdout) as { painted: number }).painted).toBeLessThanOrEqual(2);
      for (const name of ['000001.png', '000003.png', '000005.png'])
        expect(
          (await readFile(`${work}/${name}`)).equals(await readFile(path(`whole.mp4.frames/${name}`))),
        ).toBe(true);
      expect((await readFile(path('out.mp4'))).equals(await readFile(path('whole.mp4')))).toBe(true);
    },
    240_000,
  );

  withFfmpeg(
    'keeps what is done at Ctrl-C',
    async () => {
      const film = await makeFilm();
      const slow = ['--weights', 'embedded', '--size', '32', '--threads', '1', '--tolerance', '0'];
      const { child, ended, stderr } = startCommand([
        ...['video', film, path('style.jpg'), ...slow, '--iterations', '2', '--frame-iterations', '100000'],
        ...['-o', path('out.mp4'), '--json'],
      ]);
      await until(() => stderr().includes('"index":1') || child.exitCode !== null);
      child.kill('SIGINT');
      expect(await ended).toMatchObject({ code: 130 });
      expect(stderr()).toContain('the same command goes on with the frames that are missing');
      expect(await readdir(path('out.mp4.frames'))).toEqual(['000001.png', 'film.jsonl']);
      await expect(stat(path('out.mp4'))).rejects.toThrow();
    },
    120_000,
  );

  withFfmpeg.each([
    ['no film', async () => writeFile(path('in.mp4'), 'This is no film.'), /cannot be read: .*Invalid data/],
    [
      'a film cut in the middle',
      async () => {
        await makeFilm();
        const bytes = await readFile(path('in.mp4'));
        await writeFile(path('in.mp4'), bytes.subarray(0, bytes.length / 2));
      },
      /in\.mp4', which cannot be read: /,
    ],
    [
      'sound alone',
      async () => {
        await ffmpeg('-f', 'lavfi', '-i', 'sine', '-t', '0.1', '-c:a', 'aac', path('in.mp4'));
      },
      /which cannot be read: /,
    ],
    ['nothing', async () => rm(path('in.mp4'), { force: true }), /film is '.*in\.mp4', which does not exist/],
  ])(
    'refuses %s, before any work',
    async (_, make, message) => {
      await make();
      const { code, stderr } = await video([
        path('in.mp4'),
        path('style.jpg'),
        ...flags,
        '-o',
        path('out.mp4'),
      ]);
      expect(stderr).toMatch(message);
      expect(code).toBe(1);
      expect((await readdir(path())).filter((name) => name.startsWith('out'))).toEqual([]);
    },
    60_000,
  );

  test('says how to get ffmpeg where it is missing', async () => {
    vi.stubEnv('FFMPEG_PATH', path('no-ffmpeg'));
    await writeFile(path('in.mp4'), 'a film');
    const { code, stderr } = await video([path('in.mp4'), path('style.jpg'), '-o', path('out.mp4')]);
    expect(stderr).toContain('Films need the program ffmpeg, and ');
    expect(stderr).toContain('apt install ffmpeg, brew install ffmpeg, or winget install ffmpeg');
    expect(code).toBe(1);
  }, 60_000);

  test.each([
    [
      ['-o', 'out.gif'],
      "--output is 'out.gif', whose extension names no film; accepted: .mp4, .m4v, .mov, .mkv, .webm.",
    ],
    [['-o', 'film.mp4'], "--output is 'film.mp4'; accepted: another file than the film."],
    [['--flow', 'lukas-kanade'], "--flow is 'lukas-kanade'; did you mean 'lucas-kanade'?"],
    [
      ['--flow', 'none', '--temporal', '1'],
      '--temporal has no effect beside --flow none, by which no motion is known',
    ],
    [['--preview', 'a.mp4'], "'a.mp4' has no extension that names a format"],
    [['--style-weights', '1,2'], '--style-weights has 2 numbers'],
  ])('refuses %j before any work', async (args, message) => {
    const { code, stderr } = await video(['film.mp4', 'style.jpg', ...args]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
