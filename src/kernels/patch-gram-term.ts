import { gramScale } from '../losses/gram-matrix';
import type { Network } from './network';
import { compareGram, type EngineTerm, type GramLossTerm, gramItems, sumOfShares } from './terms';

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
  const wanted = Float32Array.from(term.target.dataSync<'float32'>());
  const packed = memory.floats(firstForward, patchValues * n);
  const weights = Float64Array.from(packed, (_, i) => packed[panelIndex(Math.floor(i / n), i % n)]);
  const sums = memory.allocateFloats(gramItems * padded * padded);
  const panels = memory.allocateFloats(patchValues * n);
  return {
    evaluate({ address, height, width }, gradient, weight) {
      const share = Math.ceil(height / gramItems);
      const items = Math.ceil(height / share);
      engine.run('patchProducts', [address, sums, 0, height, width, n, 0, share], items);
      const products = symmetric(sumOfShares(memory.floats(sums, items * padded * padded), padded));
      // W^T P W
      const half = multiply(products, weights, patchValues, patchValues, n);
      const gram = new Float64Array(n * n);
      for (let k = 0; k < patchValues; k++) {
        for (let i = 0; i < n; i++) {
          const left = weights[k * n + i];
          for (let j = i; j < n; j++) gram[i * n + j] += left * half[k * n + j];
        }
      }
      const scale = gramScale([1, height, width, n], term.normalization);
      const slopes = new Float64Array(n * n);
      const value = compareGram(gram, wanted, n, scale, term.distance, weight, (i, j, entry) => {
        slopes[i * n + j] = entry;
        slopes[j * n + i] = entry;
      });
      const mixed = multiply(weights, slopes, patchValues, n, n);
      const to = memory.floats(panels, patchValues * n);
      for (let k = 0; k < patchValues; k++)
        for (let y = 0; y < n; y++) to[panelIndex(k, y)] = mixed[k * n + y];
      engine.run('firstForward', [address, gradient, panels, height, width, n, 1, 0], height);
      return value;
    },
    dispose() {
      memory.release(sums);
      memory.release(panels);
    },
  };
}

/** Where value k of a patch and channel y meet in panels [n/8][28][8]. */
const panelIndex = (k: number, y: number) => ((y >> 3) * patchValues + k) * 8 + (y & 7);

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
