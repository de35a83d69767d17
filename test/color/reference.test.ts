import { describe, expect, it } from 'vitest';
import { transferColor } from '../../src/color';
import reference from '../reference/color.json';
import { onEachBackend } from '../support/backends';
import { referenceImage } from '../support/reference-image';

/** Values of results at flat indices, before clipping, by scripts/reference/color.py. */
interface Numbers {
  readonly image: string;
  readonly reference: string;
  readonly at: readonly number[];
  readonly mean?: readonly number[];
  readonly covariance?: readonly number[];
  readonly histogram?: readonly number[];
  readonly luminance?: readonly number[];
}

const cases = Object.entries(reference as Record<string, Numbers>).flatMap(([name, numbers]) =>
  (['mean', 'covariance', 'histogram', 'luminance'] as const).flatMap((method) => {
    const expected = numbers[method];
    return expected ? [{ name, method, numbers, expected }] : [];
  }),
);

/** scikit-image takes other digits of the matrix of sRGB and of the white, which only 'luminance' depends on. */
const tolerance = { mean: 2e-6, covariance: 2e-6, histogram: 2e-6, luminance: 1e-4 };

describe('the numbers of NumPy, SciPy and scikit-image', () => {
  onEachBackend(() => {
    it.each(cases)('$method of $name', async ({ method, numbers, expected }) => {
      const [image, other] = [await referenceImage(numbers.image), await referenceImage(numbers.reference)];
      const moved = await transferColor(image, other, { method });
      const values = await moved.data();
      for (const [i, at] of numbers.at.entries()) {
        const clipped = Math.min(1, Math.max(0, expected[i]));
        expect(Math.abs(values[at] - clipped), `value ${at}`).toBeLessThan(tolerance[method]);
      }
      moved.dispose();
    });
  });
});
