import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { pictureFolder, quick, runCommand } from '../support/command-line-folder';

const path = pictureFolder();
const inputs = () => [path('content.png'), path('style.jpg')];
const paint = (...args: string[]) => runCommand([...inputs(), ...args]);
const bytes = (name: string) => readFile(path(name));

describe('--settings', () => {
  it('paints the same picture again from the PNG alone, to the bit', async () => {
    const options = [
      '--style-size',
      '32',
      '--init',
      'noise',
      '--seed',
      '7',
      '--iterations',
      '4',
      '--beta',
      '3e5',
    ];
    const sizes = ['--scales', '32,48:3'];
    const painted = await paint('--weights', 'embedded', ...options, ...sizes, '-o', path('first.png'));
    expect(painted.code).toBe(0);
    const again = await paint('--settings', path('first.png'), '-o', path('second.png'));
    expect(again.code).toBe(0);
    expect(again.stderr).not.toContain('differ');
    expect(await bytes('second.png')).toEqual(await bytes('first.png'));
  });

  it('repeats what --json printed, on the backend and engine of that run', async () => {
    const { stdout } = await paint(
      ...quick,
      '--backend',
      'cpu',
      '--engine',
      'wasm',
      '--json',
      '-o',
      path('a.png'),
    );
    await writeFile(path('a.json'), stdout);
    const again = await paint('--settings', path('a.json'), '--threads', '1', '--json', '-o', path('b.png'));
    expect(JSON.parse(again.stdout)).toMatchObject({
      backend: 'cpu',
      settings: JSON.parse(stdout).settings,
    });
    expect(await bytes('b.png')).toEqual(await bytes('a.png'));
  });

  it('yields to other flags, and says what differs', async () => {
    await paint(...quick, '-o', path('a.png'));
    const style = path('content.png');
    const args = ['--settings', path('a.png'), '--seed', '5', '--size', '24', '-o', path('b.png')];
    const { code, stderr, stdout } = await runCommand([path('content.png'), style, ...args]);
    expect(code).toBe(0);
    expect(stdout).toContain('24x18');
    const warning = stderr.split('\n').find((line) => line.includes('differ'));
    expect(warning).toContain('style is another image');
    expect(warning).toContain('--size is 24, not 32');
    expect(warning).toContain('--seed is 5, not 0');
    expect(warning).not.toContain('content is');
  });

  it('does not replace the picture that it repeats', async () => {
    await paint(...quick, '-o', path('a.png'));
    const { code, stderr } = await paint('--settings', path('a.png'), '-o', path('a.png'));
    expect(code).toBe(2);
    expect(stderr).toContain('the same file as settings');
  });

  it.each([
    ['content.png', 'NO_SETTINGS'],
    ['missing.png', 'FILE_NOT_FOUND'],
  ])('of %s are refused: %s', async (name, code) => {
    const { stderr } = await paint('--settings', path(name), '--json', '-o', path('b.png'));
    expect(JSON.parse(stderr)).toMatchObject({ code, option: 'settings', flag: '--settings' });
  });
});
