import { polarSteps } from '../../../losses/matrix-root';
import type { Slice } from '../device/gpu';
import { bitsOf, Piece, Shape } from '../device/pieces';
import type { AddCommand } from './commands';
import {
  covarianceBindings,
  covarianceSource,
  distanceBindings,
  distanceSource,
  type MatrixProduct,
  matrixGrid,
  matrixProductBindings,
  matrixProductSource,
  matrixProductWork,
  normalisedBindings,
  normalisedSource,
  squaresBindings,
  squaresSource,
  transportBindings,
  transportSource,
} from './matrix-kernels';
import { channelsGrid, type MomentsShape, meansBindings, meansSource, totalsSizes } from './moments-kernels';

/** What the commands of a Wasserstein distance read and write. */
export interface WassersteinOperands {
  readonly shape: MomentsShape;
  /** Sums of features, minus the target's means, and their products. */
  readonly moments: Piece;
  readonly products: Piece;
  /** Means, the root of the covariance matrix and its trace. */
  readonly target: readonly Slice[];
  /** The mean weight of positions, and the number that is added to the diagonal of covariance matrices. */
  readonly constants: Slice;
  /** What each channel adds to the distance times the number of channels. */
  readonly parts: Slice;
  /** The derivative by the features F, F times a matrix plus a line. */
  readonly matrix: Piece;
  readonly line: Piece;
}

/**
 * The commands of the squared 2-Wasserstein distance of Gaussians and of its derivative, by the iterations that the
 * operations of tfjs take in `losses/wasserstein`: with S the covariance matrix, the polar factor U of S^1/2 S^^1/2.
 * Products of matrices only, so that nothing is read back and no step waits for a single invocation.
 *
 * @param weight of the term
 */
export function wassersteinCommands(
  add: AddCommand,
  layer: string,
  weight: number,
  { shape, moments, products, target, constants, parts, matrix, line }: WassersteinOperands,
  polarStep: (step: number) => Slice,
): void {
  const { positions, channels: n } = shape;
  const label = `${layer} wasserstein`;
  const piece = (numbers = n * n) => new Piece(label, 4 * numbers);
  const [shift, targetRoot, trace] = target;

  const addProduct = (how: MatrixProduct, pieces: Readonly<Record<string, Piece | Slice>>) => {
    const [source, names] = [matrixProductSource(how), matrixProductBindings(how)];
    add(label, source, names, pieces, matrixProductWork(how));
  };
  const multiply = (left: Piece, right: Piece | Slice, kernel: Partial<MatrixProduct> = {}): Piece => {
    const output = piece();
    addProduct({ n, ...kernel }, { left, right, output });
    return output;
  };
  /** The value of a step's polynomial at T, a I + b T + c T T. */
  const polynomial = (t: Piece, step: number): Piece => {
    const output = piece();
    const pieces = { left: t, right: t, addend: t, step_: polarStep(step), output };
    addProduct({ n, polynomial: true }, pieces);
    return output;
  };
  const normalised = (values: Piece): { readonly squares: Piece; readonly output: Piece } => {
    const [squares, output] = [piece(1), piece()];
    add(label, squaresSource(n), squaresBindings, { values, output: squares }, [1, 1, 1]);
    add(label, normalisedSource(n), normalisedBindings, { values, squares, output }, matrixGrid(n));
    return { squares, output };
  };

  const [means, covariance] = [piece(3 * n), piece()];
  const sums = { sums: moments, shift, total: constants, means, shape: totalsSizes(shape) };
  add(label, meansSource(), meansBindings, sums, channelsGrid(shape));
  const moment = { products, means, constants, output: covariance, shape: new Shape(positions) };
  add(label, covarianceSource(n), covarianceBindings, moment, matrixGrid(n));

  // The root of S over its norm, and the inverse of that, as `squareRoot`: the first step begins with I.
  const { squares, output: start } = normalised(covariance);
  const first = polynomial(start, 0);
  let [root, inverse] = [multiply(start, first), first];
  for (let step = 1; step < polarSteps.length; step++) {
    const p = polynomial(multiply(inverse, root), step);
    [root, inverse] = [multiply(root, p), multiply(p, inverse)];
  }
  // As `polarFactor`.
  const product = multiply(root, targetRoot);
  let polar = normalised(product).output;
  for (let step = 0; step < polarSteps.length; step++)
    polar = multiply(polar, polynomial(multiply(polar, polar, { transposed: true }), step));

  const slope = multiply(multiply(inverse, polar), targetRoot);
  const scale = new Shape(bitsOf((2 * weight) / (n * positions)));
  const transport = { slope, squares, means, matrix, line, shape: scale };
  add(label, transportSource(n), transportBindings, transport, [n, 1, 1]);
  const distance = { polar, product, covariance, squares, means, trace, parts };
  add(label, distanceSource(n), distanceBindings, distance, [n, 1, 1]);
}
