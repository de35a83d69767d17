import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { architecture, name, stages } from '../../scripts/train-base/recipe';
import { ownBase } from '../../src/generators/base';

const file = 'src/generators/base/base.bin';

/** What `npm run train:base` prints. */
const sha256 = 'b140877fb234b245dfdc3cfc145d0b835b9d4caee8c0f9f517cc8c23ddc1e807';

describe('base.bin', () => {
  it('is the file that the training script makes, of at most 150 kB', async () => {
    const bytes = await readFile(file);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect(bytes.length).toBeLessThanOrEqual(150_000);
  });

  it('is a generator of the last stage, trained as the recipe says', () => {
    const base = ownBase();
    const { steps, finalSteps, drawn, seed, learningRate } = stages[stages.length - 1];
    expect(base.network).toEqual(architecture.network);
    const training = { steps, finalSteps, drawn, seed, learningRate, base: name, preset: 'relative' };
    expect(base).toMatchObject({ name, license: 'MIT', training });
  });
});
