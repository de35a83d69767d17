import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { Network } from '../network/network';
import { GramDistance, type GramLossTerm, gramShares, gramTermBytes } from './gram-term';
import type { EngineTerm } from './terms';

/** Values of a patch: 27 of the image, and a 1 for the bias; with zeros up to whole panels of eight. */
const patchValues = 28;
const padded = 32;

/** Bytes of {@link patchGramTerm} for n channels. */
export const patchGramBytes = (n: number): number =>
  gramTermBytes(n) - 4 * gramShares * n * n + 4 * (gramShares * padded * padded + n * n + patchValues * n);

/**
 * The Gram term of the first convolution, which is linear in patches F of the image: with its weights W the Gram matrix
 * is W^T (F^T F) W, and the gradient F (W S). The feature map itself is not needed.
 *
 * @param target [channels][channels]
 */
export function patchGramTerm(network: Network, term: GramLossTerm, target: Float32Array): EngineTerm {
  const { engine, firstForward } = network;
  const { memory } = engine;
  return owning(({ result }) => {
    const distance = result(new GramDistance(engine, term, target));
    const n = distance.channels;
    const blocks = result(new Blocks(memory));
    const sums = blocks.allocateFloats(gramShares * padded * padded);
    const gram = blocks.allocateFloats(n * n);
    const panels = blocks.allocateFloats(patchValues * n);
    const packed = memory.floats(firstForward, patchValues * n);
    const weights = Float64Array.from(packed, (_, i) => packed[panelIndex(Math.floor(i / n), i % n)]);
    return {
      accumulate(map) {
        const { address, height, width } = map;
        const share = Math.ceil(height / gramShares);
        const items = Math.ceil(height / share);
        engine.run('patchProducts', [address, sums, 0, height, width, n, 0, share], items);
        const products = symmetric(sumOfShares(memory.floats(sums, items * padded * padded)));
        // W^T P W
        const half = matrixProduct(products, weights, patchValues, patchValues, n);
        const product = matrixProduct(transposed(weights, n), half, n, patchValues, n);
        memory.floats(gram, n * n).set(product);
        distance.of(gram, 1, map);
      },
      contribute(map, gradient, weight) {
        const { address, height, width } = map;
        distance.differentiate(weight);
        const slopes = memory.floats(distance.gradient, n * n);
        const rows = Float64Array.from(slopes, (_, at) => slopes[panelIndex(Math.floor(at / n), at % n, n)]);
        const mixed = matrixProduct(weights, rows, patchValues, n, n);
        const to = memory.floats(panels, patchValues * n);
        for (let k = 0; k < patchValues; k++)
          for (let y = 0; y < n; y++) to[panelIndex(k, y)] = mixed[k * n + y];
        engine.run('firstForward', [address, gradient, panels, height, width, n, 1, 0], height);
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

/** The sum of consecutive matrices [32][32]. */
function sumOfShares(shares: Float32Array): Float64Array {
  const sum = new Float64Array(padded * padded);
  for (const [i, value] of shares.entries()) sum[i % sum.length] += value;
  return sum;
}

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
