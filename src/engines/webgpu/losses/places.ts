import type { ShapeOf } from './commands';
import { differenceSums, variationGrid } from './element-kernels';
import { comparisonSums, gramShape } from './gram-kernels';
import type { KernelTerm } from './parts';

/** Numbers that all terms leave in the buffer of sums, each from a multiple of 64 on, as bindings begin there. */
export const partsLength = (
  terms: readonly KernelTerm[],
  shapeOf: ShapeOf,
  shapes: readonly ShapeOf[],
): number => placesOfParts(terms, shapeOf, shapes).total;

/** Where terms leave their sums: of features as many as there are bands, one behind the other. */
export function placesOfParts(terms: readonly KernelTerm[], shapeOf: ShapeOf, shapes: readonly ShapeOf[]) {
  let total = 0;
  const places = terms.map((term) => {
    const { kind, layer } = term;
    const [height, width, channels] = shapeOf(layer);
    const place = (numbers: number, count: number, bands = 1) => {
      const length = 64 * Math.ceil(numbers / 64);
      const from = total;
      total += bands * length;
      // What lies between the sums of bands is 0.
      return { from, length, count: bands === 1 ? count : bands * length };
    };
    if (kind === 'gram') {
      const shape = gramShape(height * width, channels, { relu: false });
      // Bands add theirs up before the comparison.
      const count = comparisonSums(shapes.length === 1 ? shape : { ...shape, shares: 1 });
      // Behind the sums of the differences lie those of the target.
      return place(2 * count, count);
    }
    if (kind === 'feature') {
      const all = layer === 'image' ? [shapeOf] : shapes;
      const counts = all.map((shape) => {
        const [rows, columns] = shape(layer);
        // The most, which is that without weights where fours are whole positions.
        return differenceSums({ positions: rows * columns, channels, weighted: true });
      });
      return place(Math.max(...counts), Math.max(...counts), all.length);
    }
    if (kind === 'statistic') {
      const count = term.statistic === 'wasserstein' ? channels : channels / 4;
      return place(count, count);
    }
    const [across, down] = variationGrid(height, width);
    return place(across * down, across * down);
  });
  return { places, total };
}
