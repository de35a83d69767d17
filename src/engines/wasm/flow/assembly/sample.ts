/**
 * Values of a plane at four places between pixels, bilinear; beyond the border those of the border.
 *
 * @param right the last column, in all lanes
 * @param bottom the last row, in all lanes
 * @param row bytes of a row, in all lanes
 */
// @ts-ignore: decorator
@inline export function sample(plane: usize, x: v128, y: v128, right: v128, bottom: v128, row: v128): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  // Of NaN remains 0 where it is made an integer: whatever the displacement is, reads stay inside.
  const cx = f32x4.min(right, f32x4.max(zero, x)), cy = f32x4.min(bottom, f32x4.max(zero, y));
  const x0 = f32x4.floor(cx), y0 = f32x4.floor(cy);
  const column = i32x4.shl(i32x4.trunc_sat_f32x4_s(x0), 2);
  const top = i32x4.add(i32x4.mul(i32x4.trunc_sat_f32x4_s(y0), row), column);
  const next = i32x4.trunc_sat_f32x4_s(f32x4.min(bottom, f32x4.add(y0, one)));
  const below = i32x4.add(i32x4.mul(next, row), column);
  const fx = f32x4.sub(cx, x0), fy = f32x4.sub(cy, y0);
  const upper = between(plane, top, fx), lower = between(plane, below, fx);
  return f32x4.add(upper, f32x4.mul(fy, f32x4.sub(lower, upper)));
}

/** Between the pixels at four places, in bytes, and those to their right; behind the last column that has weight 0. */
// @ts-ignore: decorator
@inline function between(plane: usize, at: v128, fx: v128): v128 {
  let a = v128.load64_zero(plane + <usize>i32x4.extract_lane(at, 0));
  a = v128.load64_lane(plane + <usize>i32x4.extract_lane(at, 1), a, 1);
  let b = v128.load64_zero(plane + <usize>i32x4.extract_lane(at, 2));
  b = v128.load64_lane(plane + <usize>i32x4.extract_lane(at, 3), b, 1);
  const left = v128.shuffle<f32>(a, b, 0, 2, 4, 6), right = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
  return f32x4.add(left, f32x4.mul(fx, f32x4.sub(right, left)));
}
