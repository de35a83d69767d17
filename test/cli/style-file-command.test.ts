import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { loadStyle } from '../../src/node/styles';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';
import { fakeTerminal } from '../support/fake-terminal';

const path = pictureFolder();
const making = ['--weights', 'embedded', '--size', '32', '--threads', '1'];
const make = (name: string, pictures: readonly string[], ...flags: string[]) =>
  runCommand(['style', 'make', ...pictures.map(path), '-o', path(name), ...making, ...flags]);
const pixelsOf = async (name: string) => sharp(path(name)).raw().toBuffer();

describe('several styles', () => {
  test('paint in their blend: pictures and style files, with weights', async () => {
    const painting = [...quick, '--style-size', '32', '--json'];
    const paint = (styles: readonly string[], ...flags: string[]) =>
      runCommand([path('content.png'), ...styles.map(path), ...painting, ...flags]);
    await make('style.safetensors', ['style.jpg']);
    const alone = await paint(['style.jpg'], '-o', path('alone.png'));
    expect(alone).toMatchObject({ code: 0 });
    const byFile = await paint(['style.safetensors'], '-o', path('file.png'));
    const blend = ['style.jpg', 'content.png', 'style.safetensors'];
    const weighted = await paint(blend, '--style-weights', '1,0,2', '-o', path('weighted.png'));
    const even = await paint(['style.jpg', 'content.png'], '-o', path('even.png'));
    expect([byFile.code, weighted.code, even.code]).toEqual([0, 0, 0]);
    expect(await pixelsOf('file.png')).toEqual(await pixelsOf('alone.png'));
    // Of the same picture as itself and as a file, with nothing of the other.
    expect(await pixelsOf('weighted.png')).toEqual(await pixelsOf('alone.png'));
    expect(await pixelsOf('even.png')).not.toEqual(await pixelsOf('alone.png'));
  }, 60_000);

  test('are painted again from the settings of a picture, with its weights', async () => {
    const pictures = ['content.png', 'style.jpg', 'content.png'].map(path);
    const weights = ['--style-weights', '5,1'];
    expect(await runCommand([...pictures, ...quick, ...weights, '-o', path('a.png')])).toMatchObject({
      code: 0,
    });
    const again = await runCommand([...pictures, '--settings', path('a.png'), '-o', path('b.png')]);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(await pixelsOf('b.png')).toEqual(await pixelsOf('a.png'));
  }, 60_000);

  test.each([
    ['1', '--style-weights has 1 number; accepted: one for each of 2 styles.'],
    ['1,x', "--style-weights is '1,x'; accepted: numbers of at least 0, one for each style"],
    ['1,-1', '--style-weights is [1, -1]; accepted: numbers of at least 0'],
    ['0,0', '--style-weights is [0, 0]; accepted: numbers of at least 0'],
  ])('are refused with the weights %s', async (weights, message) => {
    const styles = [path('style.jpg'), path('style.jpg')];
    const { code, stderr } = await runCommand([path('content.png'), ...styles, '--style-weights', weights]);
    expect([code, stderr.startsWith(`error: ${message}`)], stderr).toEqual([2, true]);
  });

  test('name the one that is missing, and take stdin for one only', async () => {
    const missing = await runCommand([path('content.png'), path('style.jpg'), path('none.jpg'), ...quick]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('none.jpg');
    const dashes = await runCommand([path('content.png'), '-', '-', ...quick]);
    expect([dashes.code, dashes.stderr]).toEqual([
      2,
      "error: style and style 2 are each '-', and stdin holds one picture; accepted: one '-'.\n",
    ]);
  });
});

describe('the command style', () => {
  test('makes a file of pictures, shows it, and blends files', async () => {
    const made = await make('one.safetensors', ['style.jpg', 'content.png'], '--style-weights', '3,1');
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 images, longer side 32 pixels'),
    });
    expect(await make('two.safetensors', ['content.png'], '--quiet')).toEqual(
      expect.objectContaining({ code: 0, stdout: '', stderr: '' }),
    );
    const shown = await runCommand(['style', 'show', path('one.safetensors')]);
    expect(shown.stdout).toBe(made.stdout);
    expect(shown.stdout).toContain('vgg19, the embedded network (not VGG-19), max pooling');
    const { file, layers, images, tensors } = JSON.parse(
      (await runCommand(['style', 'show', path('one.safetensors'), '--json'])).stdout,
    );
    expect([basename(file), layers.length, images, tensors['gram.conv2_1']]).toEqual([
      'one.safetensors',
      5,
      2,
      [128, 128],
    ]);
    const inputs = [path('one.safetensors'), path('two.safetensors')];
    const blending = ['style', 'blend', ...inputs, '--style-weights', '3,1', '-o', path('three.safetensors')];
    expect(await runCommand([...blending, '--json'])).toMatchObject({ code: 0, stderr: '' });
    const [one, two, three] = await Promise.all(
      ['one', 'two', 'three'].map((name) => loadStyle(path(`${name}.safetensors`))),
    );
    expect(three.images).toBe(3);
    const grams = [one, two, three].map(({ tensors }) => tensors.get('gram.conv1_1')?.values ?? []);
    expect(grams[2][0]).toBe(Math.fround((3 * grams[0][0] + grams[1][0]) / 4));
  }, 60_000);

  test('tells how far it is, as lines and as JSON', async () => {
    const lines = await make('a.safetensors', ['style.jpg', 'content.png']);
    expect(lines.stderr).toContain('1 of 2 styles');
    const json = await make('a.safetensors', ['style.jpg', 'content.png'], '--json');
    const events = json.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.filter(({ type }) => type === 'style')).toEqual([
      { type: 'style', styles: 1, images: 1, of: 2 },
      { type: 'style', styles: 2, images: 2, of: 2 },
    ]);
    expect(JSON.parse(json.stdout).images).toBe(2);
  }, 60_000);

  test('takes a picture from stdin', async () => {
    const fake = fakeTerminal({ stdin: await readFile(path('style.jpg')) });
    const args = ['style', 'make', '-', '-o', path('in.safetensors'), ...making];
    expect(await runCommand(args, fake)).toMatchObject({ code: 0 });
    await make('style.safetensors', ['style.jpg']);
    expect(await readFile(path('in.safetensors'))).toEqual(await readFile(path('style.safetensors')));
  }, 60_000);

  test('fails with a code, a reason and no file', async () => {
    const run = async (...args: string[]) => {
      const { code, stderr } = await runCommand(['style', ...args]);
      return [code, stderr.replaceAll(path(), '')];
    };
    const out = path('out.safetensors');
    expect(await run('make', path('style.jpg'))).toEqual([
      2,
      expect.stringContaining("'-o, --output <file>'"),
    ]);
    expect(await run('make', path('style.jpg'), '-o', path('out.png'))).toEqual([
      2,
      expect.stringContaining('accepted: a file with the extension .safetensors'),
    ]);
    expect(await run('make', path('none.jpg'), '-o', out, ...making)).toEqual([
      1,
      expect.stringContaining('none.jpg'),
    ]);
    expect(await run('make', path('style.jpg'), '-o', out, '--layers', 'conv1_1,conv9_1')).toEqual([
      2,
      expect.stringContaining('--layers is'),
    ]);
    expect(await run('show', path('style.jpg'))).toEqual([1, expect.stringContaining('is not a usable')]);
    expect(await run('mkae', path('style.jpg'))).toEqual([2, expect.stringContaining('did you mean make?')]);
    await make('li.safetensors', ['style.jpg']);
    await make('one.safetensors', ['style.jpg'], '--layers', 'conv1_1');
    expect(await run('blend', path('li.safetensors'), path('one.safetensors'), '-o', out)).toEqual([
      2,
      expect.stringContaining('is of layers conv1_1; accepted: layers conv1_1, conv1_2'),
    ]);
    expect(await run('blend', path('li.safetensors'), path('style.jpg'), '-o', out)).toEqual([
      1,
      expect.stringContaining('is not a usable'),
    ]);
    await writeFile(path('li.safetensors'), '');
    expect(await run('show', path('li.safetensors'))).toEqual([1, expect.stringContaining('empty')]);
    await expect(stat(out)).rejects.toThrow('ENOENT');
    expect((await readdir(path())).filter((name) => name.startsWith('.'))).toEqual([]);
  }, 60_000);
});
