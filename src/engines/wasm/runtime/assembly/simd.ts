// Helpers of all kernels. Everything lies in the imported memory and every address is passed in: no runtime, no heap,
// no static data, so that the instances of several threads can share one memory.

/** Bytes of a float, and of the vector of four that kernels work on. */
export const FLOAT: usize = 4;
export const VECTOR: usize = 16;

/** a * b + c */
// @ts-ignore: decorator
@inline export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return multiplyAddOf<f32>(a, b, c);
}

/** a * b + c of floats or doubles */
// @ts-ignore: decorator
@inline export function multiplyAddOf<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(c, v128.mul<T>(a, b));
}

/** The floor of `atLeast`: 0 for a ReLU, else minus infinity. */
// @ts-ignore: decorator
@inline export function floorFor(relu: usize): v128 {
  return f32x4.splat(relu ? 0 : -Infinity);
}

/** x where it is above the floor, else the floor. */
// @ts-ignore: decorator
@inline export function atLeast(floor: v128, x: v128): v128 {
  return f32x4.pmax(floor, x);
}

/** x where `by` is positive, else 0. */
// @ts-ignore: decorator
@inline export function wherePositive(x: v128, by: v128): v128 {
  return v128.and(x, f32x4.gt(by, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline export function smaller(a: usize, b: usize): usize {
  return a < b ? a : b;
}
