import { multiplyAdd, smaller } from '../../runtime/assembly/simd';

// Arithmetic on the optimiser's vectors. Their lengths are multiples of 16.

/** Bytes of a block: it stays in the first-level cache while one vector after the other is combined with it. */
const BLOCK: usize = 4096;

/** Arguments of `combine`. */
@unmanaged
class CombineArgs {
  /** For each vector its address and its coefficient. */
  terms: usize;
  count: usize;
  out: usize;
  length: usize;
  /** Values for each item. */
  share: usize;
}

/** The sum of coefficient * vector over one share. */
export function combine(args: usize, item: usize, scratch: usize): void {
  const s = changetype<CombineArgs>(args);
  const out = s.out, first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const termsEnd = s.terms + (s.count << 3);
  for (let from = first; from < last; from += BLOCK) {
    const end = smaller(last, from + BLOCK);
    let a = <usize>load<u32>(s.terms), factor = f32x4.splat(load<f32>(s.terms, 4));
    for (let i = from; i < end; i += 16) v128.store(out + i, f32x4.mul(factor, v128.load(a + i)));
    for (let term = s.terms + 8; term < termsEnd; term += 8) {
      a = <usize>load<u32>(term);
      factor = f32x4.splat(load<f32>(term, 4));
      for (let i = from; i < end; i += 16) {
        v128.store(out + i, multiplyAdd(factor, v128.load(a + i), v128.load(out + i)));
      }
    }
  }
}

/** Arguments of `innerProducts`. */
@unmanaged
class InnerProductsArgs {
  /** Two addresses for each product. */
  pairs: usize;
  count: usize;
  length: usize;
  /** Values for each item. */
  share: usize;
  /** Doubles [item][product]. */
  sums: usize;
}

/**
 * Inner products over one share, all of them block by block, so that a vector that occurs in several is read from
 * memory once.
 */
export function innerProducts(args: usize, item: usize, scratch: usize): void {
  const s = changetype<InnerProductsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const sums = s.sums + ((item * s.count) << 3);
  for (let k: usize = 0; k < s.count; k++) store<f64>(sums + (k << 3), 0);
  for (let from = first; from < last; from += BLOCK) {
    const end = smaller(last, from + BLOCK);
    for (let k: usize = 0; k < s.count; k++) {
      const a = <usize>load<u32>(s.pairs + (k << 3)), b = <usize>load<u32>(s.pairs + (k << 3), 4);
      // Sums of at most 64 terms in float32; their sum in double precision.
      let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
      for (let i = from; i < end; i += 64) {
        t0 = multiplyAdd(v128.load(a + i), v128.load(b + i), t0);
        t1 = multiplyAdd(v128.load(a + i, 16), v128.load(b + i, 16), t1);
        t2 = multiplyAdd(v128.load(a + i, 32), v128.load(b + i, 32), t2);
        t3 = multiplyAdd(v128.load(a + i, 48), v128.load(b + i, 48), t3);
      }
      const to = sums + (k << 3);
      store<f64>(to, load<f64>(to) + lanes(t0) + lanes(t1) + lanes(t2) + lanes(t3));
    }
  }
}

// @ts-ignore: decorator
@inline function lanes(sum: v128): f64 {
  return <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1)
    + <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3);
}

/** Arguments of the kernels that treat each component alone. */
@unmanaged
class ComponentsArgs {
  a: usize;
  b: usize;
  out: usize;
  length: usize;
  /** Values for each item. */
  share: usize;
  /** Each bound: an address, or 0 for the number beside it. */
  lower: usize; lowest: f32;
  upper: usize; highest: f32;
  /** Factor of b. */
  factor: f32;
  epsilon: f32;
}

/** a * b over one share. */
export function multiplyComponents(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ComponentsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  for (let i = first; i < last; i += 16) {
    v128.store(s.out + i, f32x4.mul(v128.load(s.a + i), v128.load(s.b + i)));
  }
}

/** a / (sqrt(b) + epsilon) over one share. */
export function divideByRoot(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ComponentsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const epsilon = f32x4.splat(s.epsilon);
  for (let i = first; i < last; i += 16) {
    const root = f32x4.add(f32x4.sqrt(v128.load(s.b + i)), epsilon);
    v128.store(s.out + i, f32x4.div(v128.load(s.a + i), root));
  }
}

/** The point of the box nearest to a, over one share. */
export function project(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ComponentsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const lowest = f32x4.splat(s.lowest), highest = f32x4.splat(s.highest);
  for (let i = first; i < last; i += 16) {
    const lower = s.lower ? v128.load(s.lower + i) : lowest, upper = s.upper ? v128.load(s.upper + i) : highest;
    v128.store(s.out + i, f32x4.min(f32x4.max(v128.load(s.a + i), lower), upper));
  }
}

/**
 * The largest magnitude in each of four lanes of a - project(a - factor * b) for a in the box, computed as
 * min(max(factor * b, a - upper), a - lower), over one share; at out + 16 * item. The length is that without padding,
 * where bounds would count as components.
 */
export function largestProjected(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ComponentsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  let most = f32x4.splat(0), i = first;
  for (; i + 16 <= last; i += 16) most = f32x4.max(most, projectedMagnitude(s, i));
  for (; i < last; i += 4) most = f32x4.max(most, f32x4.splat(f32x4.extract_lane(projectedMagnitude(s, i), 0)));
  v128.store(s.out + (item << 4), most);
}

/** Of four components, at a byte offset. */
// @ts-ignore: decorator
@inline function projectedMagnitude(s: ComponentsArgs, i: usize): v128 {
  const lower = s.lower ? v128.load(s.lower + i) : f32x4.splat(s.lowest);
  const upper = s.upper ? v128.load(s.upper + i) : f32x4.splat(s.highest);
  const x = v128.load(s.a + i), gradient = f32x4.mul(f32x4.splat(s.factor), v128.load(s.b + i));
  const raised = f32x4.max(gradient, f32x4.sub(x, upper));
  return f32x4.abs(f32x4.min(raised, f32x4.sub(x, lower)));
}

/** 0 where a bound holds a against descent along -b, else 1, over one share. */
export function freeMask(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ComponentsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const lowest = f32x4.splat(s.lowest), highest = f32x4.splat(s.highest);
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  for (let i = first; i < last; i += 16) {
    const lower = s.lower ? v128.load(s.lower + i) : lowest, upper = s.upper ? v128.load(s.upper + i) : highest;
    const x = v128.load(s.a + i), gradient = v128.load(s.b + i);
    const below = v128.and(f32x4.le(x, lower), f32x4.gt(gradient, zero));
    const above = v128.and(f32x4.ge(x, upper), f32x4.lt(gradient, zero));
    v128.store(s.out + i, v128.andnot(one, v128.or(below, above)));
  }
}

/**
 * The largest magnitude in each of the four lanes of a over one share, at out + 16 * item; NaN if a component is NaN.
 */
export function largest(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ComponentsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  let most = f32x4.splat(0);
  for (let i = first; i < last; i += 16) most = f32x4.max(most, f32x4.abs(v128.load(s.a + i)));
  v128.store(s.out + (item << 4), most);
}
