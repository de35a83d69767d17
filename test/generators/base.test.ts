import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { grown } from '../../scripts/train-base/grown';
import { name, stages } from '../../scripts/train-base/recipe';
import { createGenerator } from '../../src/features/generator';
import { johnson } from '../../src/generators/architectures/johnson';
import { ownBase } from '../../src/generators/base';

const file = 'src/generators/base/base.bin';

/** What `npm run train:base` prints. */
const sha256 = '1637d52289173ea060042d555fa0a0b9cce72cc014358952c3eda09dc07f48d8';

describe('base.bin', () => {
  it('is the file that the training script makes, of at most 150 kB', async () => {
    const bytes = await readFile(file);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect(bytes.length).toBeLessThanOrEqual(150_000);
  });

  it('is a generator of the last stage, trained as the recipe says', () => {
    const base = ownBase();
    const { architecture, steps, seed, learningRate } = stages[stages.length - 1];
    expect(base.network).toEqual(architecture.network);
    const training = { steps, seed, learningRate, base: name, preset: 'relative' };
    expect(base).toMatchObject({ name, license: 'MIT', training });
  });
});

describe('grown', () => {
  it('keeps what kernels have for the channels that were there', () => {
    const { network, initialWeights } = johnson({ width: 2, blocks: 1 });
    const larger = johnson({ width: 2, blocks: 1, noise: 3 });
    const weights = initialWeights(1);
    const made = grown(createGenerator({ network, weights }), larger, 5);
    expect(made.network).toEqual(larger.network);
    const own = larger.initialWeights(5).get('residual1/a/kernel')?.values ?? [];
    const before = weights.get('residual1/a/kernel')?.values ?? [];
    const after = made.weights.get('residual1/a/kernel')?.values ?? [];
    // 3 x 3 places, of 8 inputs and then of 8 and 3, with 8 outputs each.
    for (let place = 0; place < 9; place++) {
      const [from, to] = [64 * place, 88 * place];
      expect([...after.slice(to, to + 64)]).toEqual([...before.slice(from, from + 64)]);
      expect([...after.slice(to + 64, to + 88)]).toEqual([...own.slice(to + 64, to + 88)]);
    }
    expect(made.weights.get('leave/kernel')).toEqual(weights.get('leave/kernel'));
  });
});
