import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { Network } from '../network/network';
import { GramDistance, type GramLossTerm, gramDistanceBytes, gramShares, type MapShape } from './gram-term';
import { type LayerWeights, noWeights, weightsOf } from './mask-weights';
import type { EngineTerm } from './terms';

/** Values of a patch: 27 of the image, and a 1 for the bias; with zeros up to whole panels of eight. */
const patchValues = 28;
const padded = 32;

/** Bytes of {@link patchGramTerm} for n channels. */
export const patchGramBytes = (n: number): number =>
  gramDistanceBytes(n) + 4 * (gramShares * padded * padded + patchValues * n);

/**
 * The Gram term of the first convolution, which is linear in patches F of the image: with its weights W the Gram matrix
 * is W^T (F^T F) W, and the gradient F (W S). The feature map itself is not needed.
 *
 * @param target [channels][channels]
 * @param shape of the whole feature map
 * @param weights of its positions
 */
export function patchGramTerm(
  network: Network,
  term: GramLossTerm,
  target: Float32Array,
  shape: MapShape,
  weights: LayerWeights = noWeights,
): EngineTerm {
  const { engine, firstForward } = network;
  const { memory } = engine;
  return owning(({ result }) => {
    const distance = result(new GramDistance(engine, term, target, shape, weights.ratio));
    const n = distance.channels;
    const blocks = result(new Blocks(memory));
    const sums = blocks.allocateFloats(gramShares * padded * padded);
    const panels = blocks.allocateFloats(patchValues * n);
    const packed = memory.floats(firstForward, patchValues * n);
    const filters = Float64Array.from(packed, (_, i) => packed[panelIndex(Math.floor(i / n), i % n)]);
    const total = new Float64Array(padded * padded);
    return {
      begin: () => total.fill(0),
      accumulate(map) {
        const { address, height, width } = map;
        const share = Math.ceil(height / gramShares);
        const items = Math.ceil(height / share);
        engine.run(
          'patchProducts',
          [address, sums, 0, height, width, n, 0, share, 0, weightsOf(weights, map)],
          items,
        );
        for (const [i, value] of memory.floats(sums, items * total.length).entries())
          total[i % total.length] += value;
        const products = symmetric(total);
        // W^T P W
        const half = matrixProduct(products, filters, patchValues, patchValues, n);
        const product = matrixProduct(transposed(filters, n), half, n, patchValues, n);
        distance.set(new Float32Array(product));
      },
      contribute(map, gradient, weight) {
        const { address, height, width } = map;
        distance.differentiate(weight);
        const slopes = memory.floats(distance.gradient, n * n);
        const rows = Float64Array.from(slopes, (_, at) => slopes[panelIndex(Math.floor(at / n), at % n, n)]);
        const mixed = matrixProduct(filters, rows, patchValues, n, n);
        const to = memory.floats(panels, patchValues * n);
        for (let k = 0; k < patchValues; k++)
          for (let y = 0; y < n; y++) to[panelIndex(k, y)] = mixed[k * n + y];
        const args = [address, gradient, panels, height, width, n, 1, 0, 0, weightsOf(weights, map)];
        engine.run('firstForward', args, height);
      },
      value: () => distance.value(),
      dispose() {
        blocks.dispose();
        distance.dispose();
      },
    };
  });
}

/** Index of row k and column y of a matrix [rows][n] in panels [n/8][rows][8]. */
const panelIndex = (k: number, y: number, rows = patchValues) => ((y >> 3) * rows + k) * 8 + (y & 7);

/** The transpose of a matrix of `columns` columns. */
function transposed(matrix: Float64Array, columns: number): Float64Array {
  const rows = matrix.length / columns;
  return matrix.map((_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]);
}

/** The full symmetric 28 x 28 matrix from the upper triangle of a padded 32 x 32 one. */
function symmetric(upper: Float64Array): Float64Array {
  return Float64Array.from({ length: patchValues * patchValues }, (_, at) => {
    const [i, j] = [Math.floor(at / patchValues), at % patchValues];
    return upper[Math.min(i, j) * padded + Math.max(i, j)];
  });
}

/** A [rows][inner] times B [inner][columns]. */
function matrixProduct(
  a: Float64Array,
  b: Float64Array,
  rows: number,
  inner: number,
  columns: number,
): Float64Array {
  const product = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[i * inner + k];
      for (let j = 0; j < columns; j++) product[i * columns + j] += factor * b[k * columns + j];
    }
  }
  return product;
}
