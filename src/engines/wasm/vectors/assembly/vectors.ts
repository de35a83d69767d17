import { multiplyAdd, smaller } from '../../runtime/assembly/simd';

// Arithmetic on the optimiser's vectors. Their lengths are multiples of 16.

/** Bytes of a block: it stays in the first-level cache while one vector after the other is combined with it. */
const BLOCK: usize = 4096;

/** Bytes of floats whose 4096 packed components, a page of memory, are read in one go. */
const PACKED_BLOCK: usize = 16384;
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
    const end = smaller(last, from + PACK_BYTES), largest = magnitude(s.from + from, s.from + end);
    store<f32>(s.scales + (from >> 6), scaleOf(largest, 127));
    const inverse = f32x4.splat(inverseOf(largest, 127));
    for (let i = from; i < end; i += 64) {
      v128.store(s.out + (i >> 2), i8x16.narrow_i16x8_s(
        eight(inverse, s.from + i), eight(inverse, s.from + i + 32),
      ));
    }
  }
}

/** The largest magnitude of floats; NaN if one is NaN. */
// @ts-ignore: decorator
@inline function magnitude(from: usize, end: usize): f32 {
  let most = f32x4.splat(0);
  for (let at = from; at < end; at += 16) most = f32x4.max(most, f32x4.abs(v128.load(at)));
  return max<f32>(
    max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
}

/** What an integer stands for if `steps` is the largest; NaN where a component is NaN. */
// @ts-ignore: decorator
@inline function scaleOf(largest: f32, steps: f32): f32 {
  return largest < SMALLEST ? 0 : largest / steps;
}

// @ts-ignore: decorator
@inline function inverseOf(largest: f32, steps: f32): f32 {
  return largest < SMALLEST ? 0 : steps / largest;
}

/** Eight floats times a factor, as the nearest integers of 16 bits. */
// @ts-ignore: decorator
@inline function eight(factor: v128, at: usize): v128 {
  return i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(factor, v128.load(at)))),
    i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(factor, v128.load(at, 16)))),
  );
}

/** Arguments of `combine`. */
@unmanaged
class CombineArgs {
  /** For each vector of floats its address and its coefficient. */
  terms: usize;
  count: usize;
  out: usize;
  length: usize;
  /** Values for each item. */
  share: usize;
  /** {@link PackedTerm} for each packed vector. */
  packed: usize;
  packedCount: usize;
}

/** The sum of coefficient * vector over one share. The scratch memory has room for 64 bytes. */
export function combine(args: usize, item: usize, scratch: usize): void {
  const s = changetype<CombineArgs>(args);
  const out = s.out, first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const termsEnd = s.terms + (s.count << 3), block = s.packedCount ? PACKED_BLOCK : BLOCK;
  for (let from = first; from < last; from += block) {
    const end = smaller(last, from + block);
    let term = s.terms;
    if (s.packedCount) {
      for (let k: usize = 0; k < s.packedCount; k += MOST_TERMS) {
        const count = smaller(MOST_TERMS, s.packedCount - k);
        combinePacked(s.packed + k * offsetof<PackedTerm>(), count, k > 0, out, from, end, scratch);
      }
    } else {
      const a = <usize>load<u32>(term), factor = f32x4.splat(load<f32>(term, 4));
      for (let i = from; i < end; i += 16) v128.store(out + i, f32x4.mul(factor, v128.load(a + i)));
      term += 8;
    }
    for (; term < termsEnd; term += 8) {
      const a = <usize>load<u32>(term), factor = f32x4.splat(load<f32>(term, 4));
      for (let i = from; i < end; i += 16) {
        v128.store(out + i, multiplyAdd(factor, v128.load(a + i), v128.load(out + i)));
      }
    }
  }
}

/** A packed vector with its coefficient. */
@unmanaged
class PackedTerm {
  /** Integers of 8 bits, and a float for each 64 of them. */
  address: usize;
  scales: usize;
  factor: f32;
}

/** Packed vectors that are added at a time: processors foresee the reads of about so many. */
const MOST_TERMS: usize = 16;
/** The largest coefficient of a block as an integer. */
const COEFFICIENT: f32 = 536870912;

/**
 * The sum of packed vectors over a block, in integers: for each 64 components, the coefficients times scales are taken
 * as integers of 30 bits, multiples of what stands for the largest, and split into a high and a low part of 15 bits.
 * Two vectors are multiplied and added by one instruction for each part.
 */
function combinePacked(
  terms: usize, count: usize, add: bool, out: usize, first: usize, last: usize, parts: usize,
): void {
  const size = offsetof<PackedTerm>(), termsEnd = terms + count * size;
  for (let from = first; from < last; from += PACK_BYTES) {
    const unit = splitCoefficients(terms, termsEnd, from >> 6, parts);
    const high = f32x4.splat(unit * 32768), low = f32x4.splat(unit), end = smaller(last, from + PACK_BYTES);
    for (let i = from; i < end; i += 64) {
      const zero = i32x4.splat(0), at = i >> 2;
      let h0 = zero, h1 = zero, h2 = zero, h3 = zero, l0 = zero, l1 = zero, l2 = zero, l3 = zero;
      let part = parts;
      for (let term = terms; term < termsEnd; term += 2 * size) {
        const other = term + size < termsEnd ? term + size : term;
        const a = v128.load(changetype<PackedTerm>(term).address + at);
        const b = v128.load(changetype<PackedTerm>(other).address + at);
        const hs = v128.load32_splat(part), ls = v128.load32_splat(part, 4);
        const front = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const back = v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        let both = i16x8.extend_low_i8x16_s(front);
        h0 = i32x4.add(h0, i32x4.dot_i16x8_s(both, hs));
        l0 = i32x4.add(l0, i32x4.dot_i16x8_s(both, ls));
        both = i16x8.extend_high_i8x16_s(front);
        h1 = i32x4.add(h1, i32x4.dot_i16x8_s(both, hs));
        l1 = i32x4.add(l1, i32x4.dot_i16x8_s(both, ls));
        both = i16x8.extend_low_i8x16_s(back);
        h2 = i32x4.add(h2, i32x4.dot_i16x8_s(both, hs));
        l2 = i32x4.add(l2, i32x4.dot_i16x8_s(both, ls));
        both = i16x8.extend_high_i8x16_s(back);
        h3 = i32x4.add(h3, i32x4.dot_i16x8_s(both, hs));
        l3 = i32x4.add(l3, i32x4.dot_i16x8_s(both, ls));
        part += 8;
      }
      const to = out + i;
      storeSum(to, h0, l0, high, low, add);
      storeSum(to + 16, h1, l1, high, low, add);
      storeSum(to + 32, h2, l2, high, low, add);
      storeSum(to + 48, h3, l3, high, low, add);
    }
  }
}

// @ts-ignore: decorator
@inline function storeSum(to: usize, h: v128, l: v128, high: v128, low: v128, add: bool): void {
  const sum = f32x4.add(f32x4.mul(high, f32x4.convert_i32x4_s(h)), f32x4.mul(low, f32x4.convert_i32x4_s(l)));
  v128.store(to, add ? f32x4.add(v128.load(to), sum) : sum);
}

/**
 * Writes the parts of the coefficients for one block: for each two vectors both high parts, and then both low parts.
 * @returns what 1 of the low part stands for; NaN if a coefficient is not finite
 */
function splitCoefficients(terms: usize, termsEnd: usize, block: usize, parts: usize): f32 {
  const size = offsetof<PackedTerm>();
  let largest: f32 = 0;
  for (let at = terms; at < termsEnd; at += size) {
    const term = changetype<PackedTerm>(at);
    largest = max<f32>(largest, abs<f32>(term.factor * load<f32>(term.scales + block)));
  }
  const finite = largest < Infinity, inverse = finite ? inverseOf(largest, COEFFICIENT) : 0;
  let to = parts;
  for (let at = terms; at < termsEnd; at += 2 * size) {
    // Zeros beside the last one of an odd number.
    store<u64>(to, 0);
    for (let k: usize = 0; k < 2 && at + k * size < termsEnd; k++) {
      const term = changetype<PackedTerm>(at + k * size);
      const coefficient = finite ? <i32>nearest<f32>(inverse * (term.factor * load<f32>(term.scales + block))) : 0;
      const h = (coefficient + 16384) >> 15;
      store<i16>(to + (k << 1), <i16>h);
      store<i16>(to + (k << 1), <i16>(coefficient - (h << 15)), 4);
    }
    to += 8;
  }
  return finite ? scaleOf(largest, COEFFICIENT) : NaN;
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

/** Arguments of `packedProducts`. */
@unmanaged
class PackedProductsArgs {
  /** For each packed vector the addresses of its integers and of its scales. */
  packed: usize;
  count: usize;
  /** Two vectors of floats. */
  b: usize;
  c: usize;
  length: usize;
  /** Values for each item. */
  share: usize;
  /** Doubles [item][packed vector][2]. */
  sums: usize;
}

/** Bytes of a block's integers of 16 bits. */
const BLOCK16: usize = PACKED_BLOCK / 2;

/**
 * Inner products of packed vectors with two others over one share. Of the others each 64 components are rounded to
 * integers of 16 bits, so that products are those of integers. The scratch memory has room for a block of both, and
 * their scales.
 */
export function packedProducts(args: usize, item: usize, scratch: usize): void {
  const s = changetype<PackedProductsArgs>(args);
  const first = (item * s.share) << 2, last = smaller(s.length << 2, first + (s.share << 2));
  const sums = s.sums + ((item * s.count) << 4);
  memory.fill(sums, 0, s.count << 4);
  const scales = scratch + 2 * BLOCK16;
  for (let from = first; from < last; from += PACKED_BLOCK) {
    const end = smaller(last, from + PACKED_BLOCK), blocks = (end - from + PACK_BYTES - 1) / PACK_BYTES;
    toIntegers(s.b + from, s.b + end, scratch, scales);
    toIntegers(s.c + from, s.c + end, scratch + BLOCK16, scales + 4);
    for (let k: usize = 0; k < s.count; k++) {
      let a = <usize>load<u32>(s.packed + (k << 3)) + (from >> 2);
      let scale = <usize>load<u32>(s.packed + (k << 3), 4) + (from >> 6);
      let sumB = f32x4.splat(0), sumC = sumB, b = scratch, other = scales;
      for (let block: usize = 0; block < blocks; block++) {
        const zero = i32x4.splat(0);
        let b0 = zero, b1 = zero, c0 = zero, c1 = zero;
        for (let i = 0; i < 4; i++) {
          let values = v128.load8x8_s(a);
          b0 = i32x4.add(b0, i32x4.dot_i16x8_s(values, v128.load(b)));
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(values, v128.load(b, BLOCK16)));
          values = v128.load8x8_s(a, 8);
          b1 = i32x4.add(b1, i32x4.dot_i16x8_s(values, v128.load(b, 16)));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(values, v128.load(b, BLOCK16 + 16)));
          a += 16;
          b += 32;
        }
        const own = load<f32>(scale);
        sumB = multiplyAdd(f32x4.splat(own * load<f32>(other)), f32x4.convert_i32x4_s(i32x4.add(b0, b1)), sumB);
        sumC = multiplyAdd(f32x4.splat(own * load<f32>(other, 4)), f32x4.convert_i32x4_s(i32x4.add(c0, c1)), sumC);
        scale += 4;
        other += 8;
      }
      const to = sums + (k << 4);
      store<f64>(to, load<f64>(to) + lanes(sumB));
      store<f64>(to, load<f64>(to, 8) + lanes(sumC), 8);
    }
  }
}

/** Rounds floats to integers of 16 bits with a scale for each 64, at every second place. The last 64 end with zeros. */
function toIntegers(first: usize, last: usize, to: usize, scale: usize): void {
  for (let from = first; from < last; from += PACK_BYTES) {
    const end = smaller(last, from + PACK_BYTES), largest = magnitude(from, end);
    store<f32>(scale, scaleOf(largest, 32767));
    const inverse = f32x4.splat(inverseOf(largest, 32767));
    for (let i: usize = 0; i < PACK_BYTES; i += 32) {
      v128.store(to + (i >> 1), from + i < end ? eight(inverse, from + i) : i16x8.splat(0));
    }
    scale += 8;
    to += PACK_BYTES / 2;
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
