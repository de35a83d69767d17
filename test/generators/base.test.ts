import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { recipe, takenAfter } from '../../scripts/train-base/recipe';
import { johnson } from '../../src/generators/architectures/johnson';
import { ownBase } from '../../src/generators/base';

const file = 'src/generators/base/base.bin';

/** What `npm run train:base` prints. */
const sha256 = '41158d5f02c4f94b516f5cf97db28ce2ba471dcad713bd6ec94482979fe3afd7';

describe('base.bin', () => {
  it('is the file that the training script makes, of at most 150 kB', async () => {
    const bytes = await readFile(file);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect(bytes.length).toBeLessThanOrEqual(150_000);
  });

  it("is a generator of this library's default architecture, trained as the recipe says", () => {
    const base = ownBase();
    expect(base.network).toEqual(johnson().network);
    const { steps, seed } = recipe;
    const training = { steps, seed, takenAfter, base: 'none', preset: 'relative' };
    expect(base).toMatchObject({ name: 'own base', license: 'MIT', training });
  });
});
