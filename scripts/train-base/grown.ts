import { createGenerator, type Generator } from '../../src/features/generator.ts';
import type { Architecture } from '../../src/generators/architectures/architecture.ts';

/**
 * A generator in an architecture that reads more channels at some convolutions: what kernels have for the others is
 * kept, and for the new ones it is from the seed.
 */
export function grown(
  { name, weights }: Generator,
  { network, initialWeights }: Architecture,
  seed: number,
): Generator {
  const all = [...initialWeights(seed)].map(([tensor, { shape, values }]) => {
    const before = weights.get(tensor);
    if (!before) throw new Error(`The generator before has no tensor ${tensor}.`);
    if (before.values.length === values.length) return [tensor, before] as const;
    // [height, width, input, output]: the inputs at each place in a row.
    const places = shape[0] * shape[1];
    const [row, rowBefore] = [values.length / places, before.values.length / places];
    const kept = values.slice();
    for (let i = 0; i < places; i++)
      kept.set(before.values.subarray(i * rowBefore, (i + 1) * rowBefore), i * row);
    return [tensor, { shape, values: kept }] as const;
  });
  return createGenerator({ name, network, weights: new Map(all) });
}
