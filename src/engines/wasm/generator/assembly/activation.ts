import { multiplyAdd } from '../../runtime/assembly/simd';

/** A function of each value. 0: none; 1: ReLU; 2: leaky ReLU; 3: sigmoid; 4: tanh. */
export function activate(x: v128, activation: usize, slope: f32): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  if (activation == 1) return f32x4.pmax(zero, x);
  if (activation == 2) return v128.bitselect(x, f32x4.mul(f32x4.splat(slope), x), f32x4.gt(x, zero));
  if (activation == 3) return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
  if (activation == 4) {
    // 1 - 2 / (exp(2 x) + 1)
    const both = exponential(f32x4.add(x, x));
    return f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(both, one)));
  }
  return x;
}

/** g times the derivative of {@link activate} at x. */
export function activationGradient(g: v128, x: v128, activation: usize, slope: f32): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  if (activation == 1) return v128.and(g, f32x4.gt(x, zero));
  if (activation == 2) return v128.bitselect(g, f32x4.mul(f32x4.splat(slope), g), f32x4.gt(x, zero));
  if (activation == 3) {
    const y = activate(x, 3, slope);
    return f32x4.mul(g, f32x4.mul(y, f32x4.sub(one, y)));
  }
  if (activation == 4) {
    const y = activate(x, 4, slope);
    return f32x4.mul(g, f32x4.sub(one, f32x4.mul(y, y)));
  }
  return g;
}

/** exp(x), to 2e-7 of itself: 2^n times a polynomial of the rest; bounded by 2^-126 and 2^127. */
function exponential(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.splat(88), f32x4.pmax(f32x4.splat(-87), x));
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.44269504)));
  // ln 2 in two parts, of which the first times n is exact.
  let rest = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)));
  rest = f32x4.sub(rest, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  // Cephes' expf (S. Moshier).
  let p = f32x4.splat(1.9875691500e-4);
  p = multiplyAdd(p, rest, f32x4.splat(1.3981999507e-3));
  p = multiplyAdd(p, rest, f32x4.splat(8.3334519073e-3));
  p = multiplyAdd(p, rest, f32x4.splat(4.1665795894e-2));
  p = multiplyAdd(p, rest, f32x4.splat(1.6666665459e-1));
  p = multiplyAdd(p, rest, f32x4.splat(5.0000001201e-1));
  const value = f32x4.add(multiplyAdd(f32x4.mul(rest, rest), p, rest), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(value, power);
}
