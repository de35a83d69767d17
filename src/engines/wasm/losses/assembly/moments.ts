import { gramColumn, matrixProduct } from '../../runtime/assembly/matrix-products';
import { atLeast, floorFor, multiplyAdd, smaller, wherePositive } from '../../runtime/assembly/simd';

/** Arguments of sums over positions and their gradients. */
@unmanaged
class MomentsArgs {
  /** [pixels][n], before a ReLU if `relu`. */
  features: usize;
  pixels: usize; channels: usize;
  /** Not 0: the layer is the ReLU of `features`. */
  relu: usize;
  /** Pixels for each item. */
  share: usize;
  /** Forward: for each item, [n] sums and [n] sums of squares, doubles; the kernel clears them. */
  sums: usize;
  /** Backward: [n] factors of the features and [n] numbers that are added. */
  factors: usize;
  /** Backward: [pixels][n], which is added to. */
  gradient: usize;
}

/** Sums of each channel and of its squares over one share of the pixels. */
export function momentsForward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<MomentsArgs>(args);
  const n = s.channels, floor = floorFor(s.relu), sums = s.sums + ((item * n) << 4), squares = sums + (n << 3);
  memory.fill(sums, 0, n << 4);
  const last = smaller(s.pixels, (item + 1) * s.share);
  for (let pixel = item * s.share; pixel < last; pixel++) {
    const from = s.features + ((pixel * n) << 2);
    for (let c: usize = 0; c < n; c += 2) {
      const at = c << 3;
      const x = f64x2.promote_low_f32x4(atLeast(floor, v128.load64_zero(from + (c << 2))));
      v128.store(sums + at, f64x2.add(v128.load(sums + at), x));
      v128.store(squares + at, f64x2.add(v128.load(squares + at), f64x2.mul(x, x)));
    }
  }
}

/** gradient += features * factor + addend, channel by channel, over one share of the pixels; through a ReLU. */
export function momentsBackward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<MomentsArgs>(args);
  const n = s.channels, addends = s.factors + (n << 2), last = smaller(s.pixels, (item + 1) * s.share);
  for (let pixel = item * s.share; pixel < last; pixel++) {
    const row = (pixel * n) << 2;
    for (let at: usize = 0; at < n << 2; at += 16) {
      const x = v128.load(s.features + row + at), to = s.gradient + row + at;
      const slope = multiplyAdd(x, v128.load(s.factors + at), v128.load(addends + at));
      v128.store(to, f32x4.add(v128.load(to), s.relu ? wherePositive(slope, x) : slope));
    }
  }
}

/** Arguments of products of square matrices; n is a multiple of eight. */
@unmanaged
class SquareArgs {
  /** [n][n]; of `symmetricPanels`, blocks on and above the diagonal. */
  a: usize;
  /** Panels [n/8][n][8], or of `symmetricPanels` [n][n] as `a`. */
  b: usize;
  /** The result. */
  c: usize;
  n: usize;
  /** `symmetricPanels`: factors of the identity, a and b. */
  identity: f32; first: f32; second: f32;
}

/** Rows of a product for each item. */
const ROWS: usize = 16;

/** c = a b: some rows of it. */
export function multiplySquare(args: usize, item: usize, scratch: usize): void {
  const s = changetype<SquareArgs>(args);
  const n = s.n, row = n << 2, first = item * ROWS * row;
  matrixProduct(s.a + first, row, s.b, s.c + first, row, smaller(ROWS, n - item * ROWS), n, n);
}

/** c = b^T b: the blocks on and above the diagonal of eight of its columns. */
export function squareGram(args: usize, item: usize, scratch: usize): void {
  const s = changetype<SquareArgs>(args);
  gramColumn(s.b, s.n, s.n, item << 3, s.c);
}

/** c = a, as a panel of eight columns. */
export function squarePanels(args: usize, item: usize, scratch: usize): void {
  const s = changetype<SquareArgs>(args);
  const n = s.n, from = s.a + (item << 5), to = s.c + ((item * n) << 5);
  for (let i: usize = 0; i < n; i++) {
    const at = from + ((i * n) << 2), panel = to + (i << 5);
    v128.store(panel, v128.load(at));
    v128.store(panel, v128.load(at, 16), 16);
  }
}

/** c = identity I + first a + second b of symmetric matrices, as a panel of eight columns. */
export function symmetricPanels(args: usize, item: usize, scratch: usize): void {
  const s = changetype<SquareArgs>(args);
  const n = s.n, column = item << 3, to = s.c + ((item * n) << 5);
  for (let i: usize = 0; i < n; i++) {
    for (let j = column; j < column + 8; j++) {
      const at = (i < j ? i * n + j : j * n + i) << 2;
      const sum = s.first * load<f32>(s.a + at) + s.second * load<f32>(s.b + at);
      store<f32>(to + (i << 5) + ((j - column) << 2), i == j ? sum + s.identity : sum);
    }
  }
}

/** Arguments of the Cholesky factor and of solving with it. */
@unmanaged
class CholeskyArgs {
  /** [n][n], doubles; the lower triangle is replaced by L with A = L L^T. */
  matrix: usize;
  n: usize;
  /** `solveTransposed`: [n][n], W. */
  right: usize;
  /** `solveTransposed`: [n][n], receives L^-T W. */
  result: usize;
}

/** The Cholesky factor of a positive definite matrix, in place, row by row. */
export function cholesky(args: usize, item: usize, scratch: usize): void {
  const s = changetype<CholeskyArgs>(args);
  const n = s.n;
  for (let i: usize = 0; i < n; i++) {
    const a = s.matrix + ((i * n) << 3);
    for (let j: usize = 0; j <= i; j++) {
      const b = s.matrix + ((j * n) << 3), even = j & ~1;
      let sums = f64x2.splat(0);
      for (let k: usize = 0; k < even << 3; k += 16) sums = f64x2.add(sums, f64x2.mul(v128.load(a + k), v128.load(b + k)));
      let rest = load<f64>(a + (j << 3)) - f64x2.extract_lane(sums, 0) - f64x2.extract_lane(sums, 1);
      if (j & 1) rest -= load<f64>(a + ((j - 1) << 3)) * load<f64>(b + ((j - 1) << 3));
      store<f64>(a + (j << 3), i == j ? Math.sqrt(rest) : rest / load<f64>(b + (j << 3)));
    }
  }
}

/** L^-T W, eight of its columns, from the last row up. */
export function solveTransposed(args: usize, item: usize, scratch: usize): void {
  const s = changetype<CholeskyArgs>(args);
  const n = s.n, column = item << 5;
  for (let i: usize = 0; i < n; i++) {
    const from = s.right + ((i * n) << 2) + column, to = scratch + (i << 6);
    for (let c: usize = 0; c < 8; c += 2)
      v128.store(to + (c << 3), f64x2.promote_low_f32x4(v128.load64_zero(from + (c << 2))));
  }
  for (let k = n; k-- > 0;) {
    const row = s.matrix + ((k * n) << 3), at = scratch + (k << 6);
    const inverse = f64x2.splat(1 / load<f64>(row + (k << 3)));
    const y0 = f64x2.mul(v128.load(at), inverse), y1 = f64x2.mul(v128.load(at, 16), inverse);
    const y2 = f64x2.mul(v128.load(at, 32), inverse), y3 = f64x2.mul(v128.load(at, 48), inverse);
    const to = s.result + ((k * n) << 2) + column;
    v128.store64_lane(to, f32x4.demote_f64x2_zero(y0), 0);
    v128.store64_lane(to + 8, f32x4.demote_f64x2_zero(y1), 0);
    v128.store64_lane(to + 16, f32x4.demote_f64x2_zero(y2), 0);
    v128.store64_lane(to + 24, f32x4.demote_f64x2_zero(y3), 0);
    // Rows before it lose their share of this one: column k of L^T is row k of L.
    for (let i: usize = 0; i < k; i++) {
      const factor = v128.load64_splat(row + (i << 3)), other = scratch + (i << 6);
      v128.store(other, f64x2.sub(v128.load(other), f64x2.mul(factor, y0)));
      v128.store(other, f64x2.sub(v128.load(other, 16), f64x2.mul(factor, y1)), 16);
      v128.store(other, f64x2.sub(v128.load(other, 32), f64x2.mul(factor, y2)), 32);
      v128.store(other, f64x2.sub(v128.load(other, 48), f64x2.mul(factor, y3)), 48);
    }
  }
}
