import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line';
import { evaluateCommand } from '../../src/cli/evaluate-command';
import { metricNames } from '../../src/metrics';
import { fakeTerminal } from '../support/fake-terminal';
import { referenceFile } from '../support/reference-image';
import { hasShared, shared } from '../support/shared';

const image = referenceFile('image-96x64.png');
const content = referenceFile('content-96x64.png');
const style = referenceFile('style-80x72.png');

async function run(...args: string[]): Promise<string> {
  const { terminal, written } = fakeTerminal();
  const command = evaluateCommand(terminal).exitOverride();
  command.configureOutput({ writeErr: () => {} });
  await command.parseAsync(args, { from: 'user' });
  return written.stdout;
}

describe('evaluate', () => {
  it('refuses to run without a style', async () => {
    await expect(run(image)).rejects.toThrow(/--style/);
  });
});

describe('evaluate with stdin', () => {
  it('takes a picture from it', async () => {
    const fake = fakeTerminal({ stdin: await readFile(image) });
    const args = ['evaluate', '-', '--style', style, '--weights', 'embedded', '--json'];
    expect(await runCommandLine(args, fake.terminal)).toBe(0);
    expect(JSON.parse(fake.written.stdout)).toMatchObject({ image: '-', width: 96, height: 64 });
  });

  it('refuses two', async () => {
    const fake = fakeTerminal({ stdin: new Uint8Array() });
    expect(await runCommandLine(['evaluate', '-', '--style', '-'], fake.terminal)).toBe(2);
    expect(fake.written.stderr).toContain('image and style are each');
  });
});

describe.skipIf(!hasShared('vgg19'))('evaluate with VGG-19', () => {
  const weights = ['--weights', shared('vgg19')];

  it('prints a table of every metric against style and content', async () => {
    const lines = (await run(image, '--style', style, '--content', content, ...weights)).split('\n');
    expect(lines[0]).toBe(`${image}, 96x64`);
    expect(lines[1].trim()).toMatch(/^against +style +content$/);
    // test/reference/metrics.json, content_vs_image
    expect(lines[2]).toMatch(/^SSIM .* 0\.7073 /);
    expect(lines.filter((line) => line.startsWith('MS-SSIM, 3 scales'))).toHaveLength(1);
    expect(lines.slice(2, 2 + metricNames.length).every((line) => /\d {3}\S/.test(line))).toBe(true);
    expect(lines.at(-2)).toMatch(/^Distances by VGG-19 from /);
  });

  it('has no column for a content that is not given', async () => {
    expect((await run(image, '--style', style, ...weights)).split('\n')[1].trim()).toMatch(
      /^against +style$/,
    );
  });

  it('prints JSON', async () => {
    const before = tf.memory().numTensors;
    const evaluation = JSON.parse(
      await run(image, '--style', image, '--content', content, '--json', ...weights),
    );
    expect(evaluation).toMatchObject({ image, width: 96, height: 64, msSsimScales: 3, embedded: false });
    expect(Object.keys(evaluation.content)).toEqual([...metricNames]);
    expect(evaluation.content.ssim).toBeCloseTo(0.70726, 4);
    expect(evaluation.style).toMatchObject({ ssim: 1, psnr: null, styleDistance: 0 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says which file is missing', async () => {
    await expect(run(join(tmpdir(), 'no-such.png'), '--style', style, ...weights)).rejects.toThrow(
      /no-such\.png/,
    );
  });
});
