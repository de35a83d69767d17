import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { johnson } from '../../src/generators/architectures/johnson';
import { trainGenerator, useWasm } from '../../src/node';
import { tinyExtractor } from '../../src/testing';
import { startCommand, until } from '../support/command-process';

const style = resolve('examples/images/style.jpg');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'training-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts a training in a process of its own, up to the step `last`; `lines` are what it has printed. */
function start(checkpoint: string, last = '') {
  const { child, ended } = startCommand([checkpoint, style, last], { program: 'training-program' });
  const lines: string[] = [];
  child.stdout?.on('data', (text) => lines.push(...String(text).split('\n').filter(Boolean)));
  return { child, lines, ended };
}

describe('trainGenerator in Node', () => {
  it('killed and started again gives the generator of a training that was left alone, to the bit', async () => {
    const whole = start('');
    const checkpoint = join(folder, 'a.training');
    const killed = start(checkpoint, '31');
    await until(() => killed.lines.includes('step 31'));
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(killed.lines.at(-1)).not.toMatch(/^weights/);
    expect(await readdir(folder)).toContain('a.training');
    const resumed = start(checkpoint);
    await Promise.all([whole.ended, resumed.ended]);
    expect(resumed.lines.slice(0, 2)).toEqual(['resumed at 25', 'step 26']);
    expect(whole.lines.at(-1)).toMatch(/^weights [0-9a-f]{64}$/);
    expect(resumed.lines.at(-1)).toBe(whole.lines.at(-1));
  }, 240_000);

  it('trains on the pictures of a folder, and says where it has none', async () => {
    await useWasm({ threads: 1 });
    const extractor = tinyExtractor({ layers: ['relu4_1'] });
    const common = {
      style,
      architecture: johnson({ width: 1, blocks: 0 }),
      extractor,
      steps: 1,
      size: 64,
      styleSize: 64,
    };
    const photos = join(folder, 'photos');
    await cp(resolve('examples/images'), photos, { recursive: true });
    await writeFile(join(photos, '._style.jpg'), 'what a file system notes');
    const { training } = await trainGenerator({ ...common, images: photos });
    expect(training?.images).toMatch(/^5 images /);
    await mkdir(join(folder, 'empty'));
    await writeFile(join(folder, 'empty', 'notes.txt'), 'no picture');
    await expect(trainGenerator({ ...common, images: join(folder, 'empty') })).rejects.toMatchObject({
      code: 'EMPTY',
      option: 'images',
    });
    await expect(trainGenerator({ ...common, images: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      option: 'images',
    });
    await expect(
      trainGenerator({ ...common, checkpoint: join(folder, 'nowhere', 'a.training') }),
    ).rejects.toMatchObject({ code: 'NOT_WRITABLE' });
    extractor.dispose();
    expect(tf.memory().numTensors).toBe(0);
  }, 120_000);
});
