import { multiplyAdd, smaller } from '../../runtime/assembly/simd';

// Arithmetic on the optimiser's vectors. Their lengths are multiples of 16.

/** Bytes of a block: it stays in the first-level cache while one vector after the other is combined with it. */
const BLOCK: usize = 4096;

/** Bytes of the 64 floats that share a scale in a packed vector. */
const PACK_BYTES: usize = 256;
/** Blocks whose components are all smaller, 2^-100, are packed as zeros: their scale would have no inverse. */
const SMALLEST: f32 = 7.8886090522101181e-31;

/** Arguments of `pack`. */
@unmanaged
class PackArgs {
  from: usize;
  /** Integers of 8 bits. */
  out: usize;
  /** A float for each 64 of them. */
  scales: usize;
  length: usize;
  /** Values for each item; a multiple of 64. */
  share: usize;
}

/** The nearest integers to the values divided by their block's scale, which is its largest magnitude / 127. */
export function pack(args: usize, item: usize, scratch: usize): void {
  const s = changetype<PackArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  for (let from = first; from < last; from += PACK_BYTES) {
    const end = smaller(last, from + PACK_BYTES);
    let most = f32x4.splat(0);
    for (let i = from; i < end; i += 16) most = f32x4.max(most, f32x4.abs(v128.load(s.from + i)));
    const largest = max<f32>(
      max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
    // Not "largest >= SMALLEST", so that the scale of a block with NaN is NaN.
    const zero = largest < SMALLEST;
    store<f32>(s.scales + (from >> 6), zero ? 0 : largest / 127);
    const inverse = f32x4.splat(zero ? 0 : 127 / largest);
    for (let i = from; i < end; i += 64) {
      const low = i16x8.narrow_i32x4_s(nearest(inverse, s.from + i), nearest(inverse, s.from + i + 16));
      const high = i16x8.narrow_i32x4_s(nearest(inverse, s.from + i + 32), nearest(inverse, s.from + i + 48));
      v128.store(s.out + (i >> 2), i8x16.narrow_i16x8_s(low, high));
    }
  }
}

// @ts-ignore: decorator
@inline function nearest(factor: v128, at: usize): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(factor, v128.load(at))));
}

/** Components 4 k to 4 k + 3 of 16 packed ones, without their scale. */
// @ts-ignore: decorator
@inline function unpacked0(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes)));
}
// @ts-ignore: decorator
@inline function unpacked1(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(i16x8.extend_low_i8x16_s(bytes)));
}
// @ts-ignore: decorator
@inline function unpacked2(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_high_i8x16_s(bytes)));
}
// @ts-ignore: decorator
@inline function unpacked3(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(i16x8.extend_high_i8x16_s(bytes)));
}

/** A vector of `combine`. */
@unmanaged
class Term {
  /** Floats, or if there are scales integers of 8 bits. */
  address: usize;
  scales: usize;
  factor: f32;
}

/** Arguments of `combine`. */
@unmanaged
class CombineArgs {
  /** A {@link Term} for each vector. */
  terms: usize;
  count: usize;
  out: usize;
  length: usize;
  /** Values for each item. */
  share: usize;
}

/** The sum of factor * vector over one share. */
export function combine(args: usize, item: usize, scratch: usize): void {
  const s = changetype<CombineArgs>(args);
  const out = s.out, first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const size = offsetof<Term>(), termsEnd = s.terms + s.count * size;
  for (let from = first; from < last; from += BLOCK) {
    const end = smaller(last, from + BLOCK);
    let at = s.terms, term = changetype<Term>(at);
    if (term.scales) {
      memory.fill(out + from, 0, end - from);
    } else {
      const factor = f32x4.splat(term.factor);
      for (let i = from; i < end; i += 16) v128.store(out + i, f32x4.mul(factor, v128.load(term.address + i)));
      at += size;
    }
    for (; at < termsEnd; at += size) {
      term = changetype<Term>(at);
      if (term.scales) {
        addPacked(term, out, from, end);
      } else {
        const factor = f32x4.splat(term.factor);
        for (let i = from; i < end; i += 16) {
          v128.store(out + i, multiplyAdd(factor, v128.load(term.address + i), v128.load(out + i)));
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline function addPacked(term: Term, out: usize, first: usize, last: usize): void {
  for (let from = first; from < last; from += PACK_BYTES) {
    const end = smaller(last, from + PACK_BYTES);
    const factor = f32x4.splat(term.factor * load<f32>(term.scales + (from >> 6)));
    for (let i = from; i < end; i += 64) {
      const to = out + i, bytes = v128.load(term.address + (i >> 2));
      v128.store(to, multiplyAdd(factor, unpacked0(bytes), v128.load(to)));
      v128.store(to, multiplyAdd(factor, unpacked1(bytes), v128.load(to, 16)), 16);
      v128.store(to, multiplyAdd(factor, unpacked2(bytes), v128.load(to, 32)), 32);
      v128.store(to, multiplyAdd(factor, unpacked3(bytes), v128.load(to, 48)), 48);
    }
  }
}

/** The vectors of an inner product. */
@unmanaged
class Factors {
  /** Floats, or if there are scales integers of 8 bits. */
  left: usize;
  scales: usize;
  /** Floats. */
  right: usize;
}

/** Arguments of `innerProducts`. */
@unmanaged
class InnerProductsArgs {
  /** {@link Factors} for each product. */
  factors: usize;
  count: usize;
  length: usize;
  /** Values for each item. */
  share: usize;
  /** Doubles [item][product]. */
  sums: usize;
}

/**
 * Inner products over one share, all of them block by block, so that a vector that occurs in several is read from
 * memory once. A packed vector's products with two others that follow each other are computed together.
 */
export function innerProducts(args: usize, item: usize, scratch: usize): void {
  const s = changetype<InnerProductsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const sums = s.sums + ((item * s.count) << 3), size = offsetof<Factors>();
  for (let k: usize = 0; k < s.count; k++) store<f64>(sums + (k << 3), 0);
  for (let from = first; from < last; from += BLOCK) {
    const end = smaller(last, from + BLOCK);
    for (let k: usize = 0; k < s.count; k++) {
      const at = s.factors + k * size, factors = changetype<Factors>(at), to = sums + (k << 3);
      if (!factors.scales) {
        addProduct(to, factors.left, factors.right, from, end);
      } else if (k + 1 < s.count && changetype<Factors>(at + size).left == factors.left) {
        addPackedProducts(to, to + 8, factors, changetype<Factors>(at + size).right, from, end);
        k++;
      } else {
        addPackedProducts(to, 0, factors, factors.right, from, end);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function addProduct(to: usize, a: usize, b: usize, from: usize, end: usize): void {
  // Sums of at most 64 terms in float32; their sum in double precision.
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  for (let i = from; i < end; i += 64) {
    t0 = multiplyAdd(v128.load(a + i), v128.load(b + i), t0);
    t1 = multiplyAdd(v128.load(a + i, 16), v128.load(b + i, 16), t1);
    t2 = multiplyAdd(v128.load(a + i, 32), v128.load(b + i, 32), t2);
    t3 = multiplyAdd(v128.load(a + i, 48), v128.load(b + i, 48), t3);
  }
  store<f64>(to, load<f64>(to) + lanes(t0) + lanes(t1) + lanes(t2) + lanes(t3));
}

/** Adds the product of the factors to the double at `to`, and that of the packed one with c to the one at `toC`, if any. */
function addPackedProducts(to: usize, toC: usize, factors: Factors, c: usize, first: usize, last: usize): void {
  const a = factors.left, b = factors.right;
  let sum = f32x4.splat(0), other = sum;
  for (let from = first; from < last; from += PACK_BYTES) {
    const end = smaller(last, from + PACK_BYTES);
    let t0 = f32x4.splat(0), t1 = t0, u0 = t0, u1 = t0;
    for (let i = from; i < end; i += 64) {
      const bytes = v128.load(a + (i >> 2));
      let four = unpacked0(bytes);
      t0 = multiplyAdd(four, v128.load(b + i), t0);
      u0 = multiplyAdd(four, v128.load(c + i), u0);
      four = unpacked1(bytes);
      t1 = multiplyAdd(four, v128.load(b + i, 16), t1);
      u1 = multiplyAdd(four, v128.load(c + i, 16), u1);
      four = unpacked2(bytes);
      t0 = multiplyAdd(four, v128.load(b + i, 32), t0);
      u0 = multiplyAdd(four, v128.load(c + i, 32), u0);
      four = unpacked3(bytes);
      t1 = multiplyAdd(four, v128.load(b + i, 48), t1);
      u1 = multiplyAdd(four, v128.load(c + i, 48), u1);
    }
    const scale = f32x4.splat(load<f32>(factors.scales + (from >> 6)));
    sum = multiplyAdd(scale, f32x4.add(t0, t1), sum);
    other = multiplyAdd(scale, f32x4.add(u0, u1), other);
  }
  store<f64>(to, load<f64>(to) + lanes(sum));
  if (toC) store<f64>(toC, load<f64>(toC) + lanes(other));
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
