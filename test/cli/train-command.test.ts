import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadGenerator, readImage } from '../../src/node';
import { pictureFolder, runCommand } from '../support/command-line-folder';
import { startCommand, until } from '../support/command-process';
import { fakeTerminal } from '../support/fake-terminal';

const path = pictureFolder();
const quick = [
  '--steps',
  '3',
  '--size',
  '64',
  '--style-size',
  '64',
  '--weights',
  'embedded',
  '--threads',
  '1',
];
const train = (args: readonly string[], fake = fakeTerminal()) =>
  runCommand(['train', path('style.jpg'), '-o', path('style.safetensors'), ...args], fake);

describe('train', () => {
  /** The file of the first test, which takes seconds. */
  let trained: Buffer | undefined;

  test('writes a generator, says so in one line, and leaves no checkpoint', async () => {
    const { code, stdout, stderr } = await train(quick);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('3/3  loss') });
    expect(stdout).toMatch(/style\.safetensors: 3 steps, loss \d+\.\d+, \d+ s, \d+ kB\n$/);
    expect(stderr).toMatch(/johnson, 109523 numbers, from own base; 3 steps/);
    expect(stderr).toContain('The loss goes without relu4_1');
    expect(existsSync(path('style.safetensors.training'))).toBe(false);
    trained = await readFile(path('style.safetensors'));
    const generator = await loadGenerator(path('style.safetensors'));
    expect(generator).toMatchObject({
      name: 'style',
      network: { name: 'johnson' },
      training: { steps: 3, preset: 'relative', base: 'own base' },
    });
  });

  test('goes on from that file, with a preview, and prints JSON', async () => {
    if (trained) await writeFile(path('style.safetensors'), trained);
    else await train(quick);
    const again = ['--base', path('style.safetensors'), '--preview', path('content.png'), '--json'];
    const { code, stdout, stderr } = await train([...quick, ...again]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      steps: 3,
      loss: expect.any(Number),
      bytes: expect.any(Number),
    });
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.filter(({ type }) => type === 'trained').map(({ step }) => step.step)).toEqual([1, 2, 3]);
    const preview = await readImage(path('style.preview.png'));
    expect(preview.shape.map((side) => side % 32)).toEqual([0, 0, 3]);
    preview.dispose();
  });

  test('trains one network for several paintings, under the names of their files', async () => {
    const output = path('both.safetensors');
    const fake = fakeTerminal();
    const paintings = [path('style.jpg'), path('content.png')];
    const { code } = await runCommand(['train', ...paintings, '-o', output, ...quick], fake);
    expect(code).toBe(0);
    expect(await loadGenerator(output)).toMatchObject({
      name: 'style, content',
      styles: ['style', 'content'],
      network: { name: 'multiStyle' },
    });
    const third = ['train', path('style.jpg'), '--styles', 'third', '--base', output];
    const added = await runCommand([...third, '-o', path('three.safetensors'), ...quick]);
    expect(added, added.stderr).toMatchObject({ code: 0 });
    expect((await loadGenerator(path('three.safetensors'))).styles).toEqual(['style', 'content', 'third']);
  }, 240_000);

  test('keeps what is trained when it is stopped, goes on, and with --restart begins anew', async () => {
    const args = ['train', path('style.jpg'), '-o', path('style.safetensors'), ...quick, '--steps', '2000'];
    const { child, ended, stderr } = startCommand(args);
    await until(() => /\d\/2000 {2}loss/.test(stderr()));
    child.kill('SIGINT');
    const { code } = await ended;
    expect(code).toBe(130);
    const [, kept] =
      /kept (\d+) steps in .*style\.safetensors\.training; the same command goes on/.exec(stderr()) ?? [];
    expect(Number(kept)).toBeGreaterThan(0);
    expect(existsSync(path('style.safetensors'))).toBe(false);
    const other = await train(quick);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('is the checkpoint of another training: --steps is 3 here and 2000 there');
    const again = startCommand(args);
    await until(() => again.stderr().includes(`goes on after step ${kept} of 2000`));
    again.child.kill('SIGINT');
    await again.ended;
    const anew = await train([...quick, '--restart']);
    expect(anew.code).toBe(0);
    expect(anew.stderr).toContain('; 3 steps');
  }, 240_000);

  test.each([
    [['-o', 'generator.png'], '--output is'],
    [['--steps', '0'], '--steps is 0'],
    [['--size', '100'], '--size is 100; accepted: a multiple of 32 from 64 to 1024'],
    [['--preset', 'relativ'], "did you mean 'relative'?"],
    [['--preset', 'relative'], 'has no conv3_2'],
    [['--base', 'nowhere.safetensors'], 'nowhere.safetensors'],
    [['--images', 'nowhere'], '--images is'],
  ])('refuses %j before any work', async (args, message) => {
    const { code, stderr } = await train([...quick, ...args]);
    expect(stderr).toContain(message);
    expect(code).not.toBe(0);
    expect(existsSync(path('style.safetensors'))).toBe(false);
  });

  test('keeps the steps of before until --restart has new ones', async () => {
    const kept = path('style.safetensors.training');
    await writeFile(kept, 'hours of work');
    for (const wrong of [
      ['--size', '100'],
      ['--base', 'nowhere.safetensors'],
      ['--images', 'nowhere'],
    ])
      expect((await train([...quick, '--restart', ...wrong])).code).not.toBe(0);
    expect(await readFile(kept, 'utf8')).toBe('hours of work');
  });

  test('refuses a checkpoint that is none', async () => {
    await writeFile(path('style.safetensors.training'), 'something else');
    const { code, stderr } = await train(quick);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not a usable checkpoint'),
    });
    expect(await readFile(path('style.safetensors.training'), 'utf8')).toBe('something else');
  });
});
