import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeEach, describe, expect, test } from 'vitest';
import { saveGenerator } from '../../src/node';
import { pictureFolder, runCommand } from '../support/command-line-folder';
import { negative, redAndBlue } from '../support/generators';

const path = pictureFolder();

describe('stylize', () => {
  beforeEach(async () => {
    await saveGenerator(path('negative.safetensors'), negative());
    await saveGenerator(path('colors.safetensors'), redAndBlue());
  });

  const stylize = (photos: readonly string[], generator: string, ...flags: string[]) =>
    runCommand(['stylize', ...photos.map(path), '--generator', path(generator), '--threads', '1', ...flags]);

  test('paints a photograph, and says where it is and how large', async () => {
    const { code, stdout, stderr } = await stylize(
      ['content.png'],
      'negative.safetensors',
      '-o',
      path('n.png'),
    );
    expect(code, stderr).toBe(0);
    const photo = await sharp(path('content.png')).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const { width, height } = photo.info;
    expect(stdout).toContain(`${path('n.png')}: ${width}x${height}, `);
    const painted = await sharp(path('n.png')).removeAlpha().raw().toBuffer();
    expect([...painted]).toEqual([...photo.data].map((value) => 255 - value));
  }, 60_000);

  test('paints several into a folder, with a line of JSON each', async () => {
    await mkdir(path('out'), { recursive: true });
    const { code, stdout, stderr } = await stylize(
      ['content.png', 'style.jpg'],
      'colors.safetensors',
      '--style-weights',
      'red=1,blue=1',
      '-o',
      path('out'),
      '--json',
    );
    expect(code, stderr).toBe(0);
    expect((await readdir(path('out'))).sort()).toEqual(['content.png', 'style.png']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ output }) => output)).toEqual([path('out/content.png'), path('out/style.png')]);
    const [red, green, blue] = await sharp(path('out/style.png')).removeAlpha().raw().toBuffer();
    expect([red, green, blue]).toEqual([128, 0, 128]);
  }, 60_000);

  test('takes patterns; one bad picture does not stop the rest, and the exit code tells', async () => {
    await mkdir(path('photos'));
    const photo = sharp({ create: { width: 20, height: 16, channels: 3, background: '#804020' } });
    await photo.png().toFile(path('photos/a.png'));
    await photo.jpeg().toFile(path('photos/c.jpg'));
    await writeFile(path('photos/b.jpg'), 'no picture');
    await writeFile(path('photos/notes.txt'), 'text');
    await copyFile(path('negative.safetensors'), path('photos/network.safetensors'));
    const { code, stdout, stderr } = await stylize(['photos/*'], 'negative.safetensors', '-o', path('out/'));
    expect(code).toBe(1);
    expect(stdout.match(/^.*: 20x16/gm)).toHaveLength(2);
    expect((await readdir(path('out'))).sort()).toEqual(['a.png', 'c.png']);
    expect(stderr).toContain('left out, because they are no pictures');
    expect(stderr).toMatch(/notes\.txt.*network\.safetensors/);
    expect(stderr).toMatch(/1 of 3 pictures failed: .*b\.jpg/);
    const json = await stylize(
      ['photos/*.jpg'],
      'negative.safetensors',
      '-o',
      path('out'),
      '--json',
      '--quiet',
    );
    expect(json.code).toBe(1);
    const lines = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ error, width }) => [width, error?.name])).toEqual([
      [undefined, 'ImageError'],
      [20, undefined],
    ]);
  }, 60_000);

  test('replaces no photograph, and writes no two pictures to one file', async () => {
    await mkdir(path('photos'));
    const photo = sharp({ create: { width: 20, height: 16, channels: 3, background: '#804020' } });
    await photo.clone().png().toFile(path('photos/a.png'));
    await photo.clone().jpeg().toFile(path('photos/b.jpg'));
    const before = await readFile(path('photos/a.png'));
    const over = await stylize(['photos/*'], 'negative.safetensors', '-o', path('photos'));
    expect(over.code).toBe(2);
    expect(over.stderr).toContain('the same file as photo');
    expect(await readFile(path('photos/a.png'))).toEqual(before);
    await copyFile(path('photos/b.jpg'), path('photos/a.jpg'));
    const same = await stylize(['photos/a.*'], 'negative.safetensors', '-o', path('out'));
    expect(same.code).toBe(2);
    expect(same.stderr).toContain('would both be');
    const none = await stylize(['photos/*.webp'], 'negative.safetensors', '-o', path('out'));
    expect(none.stderr).toContain('finds no file');
    expect(none.code).toBe(2);
  }, 60_000);

  test('is a start of an optimisation, by --init', async () => {
    const paint = (init: string) =>
      runCommand([
        ...[path('content.png'), path('style.jpg'), '--init', init, '-o', path('o.png'), '--json'],
        ...['--weights', 'embedded', '--iterations', '1', '--scales', '1', '--threads', '1'],
      ]);
    const painted = await stylize(['content.png'], 'negative.safetensors', '-o', path('n.png'));
    expect(painted.code, painted.stderr).toBe(0);
    const [byGenerator, byPicture] = [await paint(path('negative.safetensors')), await paint(path('n.png'))];
    expect(byGenerator.code, byGenerator.stderr).toBe(0);
    const [found, expected] = [byGenerator, byPicture].map(({ stdout }) => JSON.parse(stdout).loss);
    expect(found / expected).toBeCloseTo(1, 2);
    const wrong = await paint(path('colors.safetensors'));
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('--init is the generator');
  }, 60_000);

  test.each<[what: string, photos: string[], generator: string, flags: string[], message: string]>([
    [
      'one file for several photographs',
      ['content.png', 'style.jpg'],
      'negative.safetensors',
      ['-o', 'a.png'],
      'accepted: a folder',
    ],
    [
      'an unknown style',
      ['content.png'],
      'colors.safetensors',
      ['--style-weights', 'rad=1'],
      "did you mean 'red'",
    ],
    ['no weights', ['content.png'], 'colors.safetensors', [], '--style-weights is missing'],
    ['a strength above 1', ['content.png'], 'negative.safetensors', ['--strength', '2'], '--strength is 2'],
    ['a file that is no generator', ['content.png'], 'content.png', [], 'content.png'],
    ['a generator that does not exist', ['content.png'], 'none.safetensors', [], 'does not exist'],
  ])('refuses %s', async (_what, photos, generator, flags, message) => {
    const { code, stderr } = await stylize(photos, generator, '-o', path('x.png'), ...flags);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(message);
  });
});
