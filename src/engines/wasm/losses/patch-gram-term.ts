import type { Network } from '../network/network';
import { GramDistance, type GramLossTerm, gramShares } from './gram-term';
import type { EngineTerm } from './terms';

/** Values of a patch: 27 of the image, and a 1 for the bias; and with zeros up to whole panels. */
const patchValues = 28;
const padded = 32;

/**
 * The Gram term of `conv1_1`, which is linear in patches F of the image: with its weights W the Gram matrix is W^T (F^T F) W, and the
 * gradient F (W S). Nobody needs its feature map.
 */
export function patchGramTerm(network: Network, term: GramLossTerm): EngineTerm {
  const { engine, firstForward } = network;
  const { memory } = engine;
  const n = term.target.shape[0];
  const packed = memory.floats(firstForward, patchValues * n);
  const weights = Float64Array.from(packed, (_, i) => packed[panelIndex(Math.floor(i / n), i % n)]);
  const sums = memory.allocateFloats(gramShares * padded * padded);
  const gram = memory.allocateFloats(n * n);
  const distance = new GramDistance(engine, term);
  const panels = memory.allocateFloats(patchValues * n);
  return {
    evaluate(map, gradient, weight) {
      const { address, height, width } = map;
      const share = Math.ceil(height / gramShares);
      const items = Math.ceil(height / share);
      engine.run('patchProducts', [address, sums, 0, height, width, n, 0, share], items);
      const products = symmetric(sumOfShares(memory.floats(sums, items * padded * padded)));
      // W^T P W
      const half = multiply(products, weights, patchValues, patchValues, n);
      memory.floats(gram, n * n).set(multiply(transposed(weights, n), half, n, patchValues, n));
      const value = distance.evaluate(gram, 1, map, weight);
      const slopes = memory.floats(distance.gradient, n * n);
      const rows = Float64Array.from(slopes, (_, at) => slopes[panelIndex(Math.floor(at / n), at % n, n)]);
      const mixed = multiply(weights, rows, patchValues, n, n);
      const to = memory.floats(panels, patchValues * n);
      for (let k = 0; k < patchValues; k++)
        for (let y = 0; y < n; y++) to[panelIndex(k, y)] = mixed[k * n + y];
      engine.run('firstForward', [address, gradient, panels, height, width, n, 1, 0], height);
      return value;
    },
    dispose() {
      for (const address of [sums, gram, panels]) memory.release(address);
      distance.dispose();
    },
  };
}

/** Where row k and column y of a matrix of so many rows lie in panels [n/8][rows][8]. */
const panelIndex = (k: number, y: number, rows = patchValues) => ((y >> 3) * rows + k) * 8 + (y & 7);

/** The sum of matrices [32][32] one behind the other. */
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

/** The rows and columns of real patch values of a matrix [32][32] of which the upper half is there, as a whole symmetric one. */
function symmetric(upper: Float64Array): Float64Array {
  return Float64Array.from({ length: patchValues * patchValues }, (_, at) => {
    const [i, j] = [Math.floor(at / patchValues), at % patchValues];
    return upper[Math.min(i, j) * padded + Math.max(i, j)];
  });
}

/** A [rows][inner] times B [inner][columns]. */
function multiply(
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
