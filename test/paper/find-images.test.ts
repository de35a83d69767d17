import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPairs, imageName } from '../../scripts/paper/find-images';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paper-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function files(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), '');
  }
}

const names = async (...args: Parameters<typeof findPairs>) =>
  (await findPairs(...args)).map(({ content, style }) => `${imageName(content)} ${imageName(style)}`);

describe('findPairs', () => {
  it('pairs each image of a plain folder with each other', async () => {
    await files('b.png', 'a.jpg', 'notes.txt');
    expect(await names([folder])).toEqual(['a b', 'b a']);
  });

  it('takes contents and styles from subfolders of those names', async () => {
    await files('content/a.png', 'content/b.png', 'style/s.webp');
    expect(await names([folder])).toEqual(['a s', 'b s']);
  });

  it('takes a name that begins with content or style at its word', async () => {
    await files('content.png', 'content-2.png', 'style.jpg', 'other.png');
    expect(await names([folder])).toEqual([
      'content-2 other',
      'content-2 style',
      'content other',
      'content style',
      'other style',
    ]);
  });

  it('takes only the images named', async () => {
    await files('a.png', 'b.png', 'c.png');
    expect(await names([folder], { styles: ['b'] })).toEqual(['a b', 'c b']);
    expect(await names([folder], { contents: ['c.png'], styles: ['a', 'b'] })).toEqual(['c a', 'c b']);
  });

  it('pairs within each folder', async () => {
    await files('one/a.png', 'one/b.png', 'two/content.png', 'two/style.png');
    expect(await names([join(folder, 'one'), join(folder, 'two')])).toEqual(['a b', 'b a', 'content style']);
  });

  it('says what is there when a name is not', async () => {
    await files('a.png', 'b.png');
    await expect(findPairs([folder], { styles: ['starry'] })).rejects.toThrow(
      /no image 'starry'; there are: a, b/,
    );
  });

  it('refuses folders without a pair, and two images of one name', async () => {
    await files('a.png');
    await expect(findPairs([folder])).rejects.toThrow(/at least two/);
    await files('b.png', 'more/a.jpg');
    await expect(findPairs([folder, join(folder, 'more')])).rejects.toThrow(/two images named 'a'/);
  });
});
