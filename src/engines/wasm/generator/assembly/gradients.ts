import { multiplyAdd, smaller } from '../../runtime/assembly/simd';
import { activationGradient } from './activation';
import { addDoubles } from './moments';
import { Reader, readPixels } from './reader';
import { inside } from './window';

/** Arguments of `generatorFold`. */
@unmanaged
class FoldArgs {
  /** The gradient of a padded value, [h + before + behind][w + before + behind][fromChannels]. */
  from: usize;
  fromChannels: usize;
  /** The first of its channels that is read. */
  firstChannel: usize; count: usize;
  before: usize; behind: usize;
  /** 0: zeros; 1: the nearest pixel; 2: the mirror image about the outermost pixel. */
  padding: usize;
  /** 1: the value is twice as high and wide as the map. */
  doubled: usize;
  /** The gradient of the map, [height][width][channels]. */
  to: usize;
  height: usize; width: usize; channels: usize;
  /** Not 0: added to what is there. */
  onto: usize;
}

/** A row of a map's gradient, from the gradient of the padded value: each copy's goes to the pixel that it shows. */
export function generatorFold(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FoldArgs>(args);
  const height = <i32>(s.height << s.doubled), width = s.width << s.doubled, bytes = width * s.channels * 4;
  memory.fill(scratch, 0, bytes);
  const first = <i32>(item << s.doubled), end = first + (1 << <i32>s.doubled), before = <i32>s.before;
  for (let y = first; y < end; y++) {
    addRow(s, y + before, width, scratch);
    for (let r = 0; r < before; r++) if (inside(r - before, height, s.padding) == y) addRow(s, r, width, scratch);
    for (let r = 0; r < <i32>s.behind; r++)
      if (inside(height + r, height, s.padding) == y) addRow(s, before + height + r, width, scratch);
  }
  const pixel = s.channels << 2, to = s.to + item * s.width * pixel;
  for (let i: usize = 0; i < s.width * pixel; i += 16) {
    let value: v128;
    if (s.doubled) {
      const at = scratch + (i / pixel << 1) * pixel + i % pixel;
      value = f32x4.add(v128.load(at), v128.load(at + pixel));
    } else value = v128.load(scratch + i);
    v128.store(to + i, s.onto ? f32x4.add(v128.load(to + i), value) : value);
  }
}

/** Adds a row of the padded value's gradient to a row of the value's. */
function addRow(s: FoldArgs, row: i32, width: usize, line: usize): void {
  const from = s.from + <usize>row * (width + s.before + s.behind) * s.fromChannels * 4;
  const fromPixel = s.fromChannels << 2, pixel = s.channels << 2;
  const start = from + s.before * fromPixel;
  // All of the channels are the value's, and not some of them another's.
  if (s.fromChannels == s.channels && s.count == s.channels) {
    for (let i: usize = 0; i < width * pixel; i += 16) v128.store(line + i, f32x4.add(v128.load(line + i), v128.load(start + i)));
  } else {
    for (let x: usize = 0; x < width; x++) addPixel(s, start + x * fromPixel, line + x * pixel);
  }
  for (let x = 0; x < <i32>s.before; x++) {
    const column = inside(x - <i32>s.before, <i32>width, s.padding);
    if (column >= 0) addPixel(s, from + <usize>x * fromPixel, line + <usize>column * pixel);
  }
  for (let x: usize = 0; x < s.behind; x++) {
    const column = inside(<i32>(width + x), <i32>width, s.padding);
    if (column >= 0) addPixel(s, start + (width + x) * fromPixel, line + <usize>column * pixel);
  }
}

// @ts-ignore: decorator
@inline function addPixel(s: FoldArgs, from: usize, to: usize): void {
  for (let c: usize = 0; c < s.count; c++) {
    const at = to + (c << 2);
    store<f32>(at, load<f32>(at) + load<f32>(from + (s.firstChannel + c << 2)));
  }
}

/** Arguments of `generatorTermSums` and `generatorTermGradient`. */
@unmanaged
class TermArgs {
  /** The gradient of the term, [pixels][channels]. */
  gradient: usize;
  /** [pixels][channels] */
  map: usize;
  /**
   * Seven vectors [channels], or 0 for none: factors, summands, means, inverse deviations, and those of
   * `generatorTermGradient`.
   */
  norm: usize;
  activation: usize;
  slope: f32;
  pixels: usize; channels: usize;
  /** Pixels of an item. */
  share: usize;
  /** Sums: for each item, doubles [2][channels]. Gradient: that of the map, which may be that of the term. */
  to: usize;
  /** Not 0: added to what is there. */
  onto: usize;
}

/** The sums of the gradient of a norm, and of its products with the normalised values, by channel, over one share. */
export function generatorTermSums(args: usize, item: usize, scratch: usize): void {
  const s = changetype<TermArgs>(args), pixel = s.channels << 2, first = item * s.share;
  const count = smaller(s.share, s.pixels - first), sums = s.to + item * (s.channels << 4);
  memory.fill(sums, 0, s.channels << 4);
  for (let c: usize = 0; c < pixel; c += 16) {
    const factor = v128.load(s.norm + c), summand = v128.load(s.norm + pixel + c);
    const mean = v128.load(s.norm + pixel * 2 + c), inverse = v128.load(s.norm + pixel * 3 + c);
    let low = f64x2.splat(0), high = low, low2 = low, high2 = low;
    const offset = first * pixel + c, map = s.map - s.gradient;
    let at = s.gradient + offset;
    for (let i: usize = 0; i < count; i++, at += pixel) {
      const x = v128.load(at + map);
      const g = activationGradient(v128.load(at), multiplyAdd(x, factor, summand), s.activation, s.slope);
      const product = f32x4.mul(g, f32x4.mul(f32x4.sub(x, mean), inverse));
      low = f64x2.add(low, f64x2.promote_low_f32x4(g));
      high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(g, g, 1, 1)));
      low2 = f64x2.add(low2, f64x2.promote_low_f32x4(product));
      high2 = f64x2.add(high2, f64x2.promote_low_f32x4(i64x2.shuffle(product, product, 1, 1)));
    }
    addDoubles(sums + (c << 1), low, high);
    addDoubles(sums + (pixel << 1) + (c << 1), low2, high2);
  }
}

/**
 * The gradient of a map from that of a term, over one share: A g + B + C (x - mean) inverse, where A, B, C are the last
 * three vectors of `norm`.
 */
export function generatorTermGradient(args: usize, item: usize, scratch: usize): void {
  const s = changetype<TermArgs>(args), pixel = s.channels << 2, first = item * s.share;
  const count = smaller(s.share, s.pixels - first), norm = s.norm;
  const one = f32x4.splat(1), zero = f32x4.splat(0);
  for (let c: usize = 0; c < pixel; c += 16) {
    let factor = one, summand = zero, mean = zero, inverse = zero, a = one, b = zero, k = zero;
    if (norm) {
      factor = v128.load(norm + c), summand = v128.load(norm + pixel + c);
      mean = v128.load(norm + pixel * 2 + c), inverse = v128.load(norm + pixel * 3 + c);
      a = v128.load(norm + pixel * 4 + c), b = v128.load(norm + pixel * 5 + c), k = v128.load(norm + pixel * 6 + c);
    }
    k = f32x4.mul(k, inverse);
    const offset = first * pixel + c, map = s.map - s.gradient, to = s.to - s.gradient;
    let at = s.gradient + offset;
    for (let i: usize = 0; i < count; i++, at += pixel) {
      const x = v128.load(at + map);
      const g = activationGradient(v128.load(at), multiplyAdd(x, factor, summand), s.activation, s.slope);
      const value = multiplyAdd(a, g, multiplyAdd(k, f32x4.sub(x, mean), b));
      v128.store(at + to, s.onto ? f32x4.add(v128.load(at + to), value) : value);
    }
  }
}

/** Arguments of `generatorOutputGradient`. */
@unmanaged
class OutputGradientArgs {
  reader: Reader;
  /** The gradient of the image, [h][w][3]. */
  image: usize;
  /** Factors of R, G, B and 0; then summands. */
  conversion: usize;
  /** The gradient of the reader's value, [h][w][4]. */
  to: usize;
}

/** A row of the gradient of the network's output; none comes from where the image is clipped. */
export function generatorOutputGradient(args: usize, item: usize, scratch: usize): void {
  const s = changetype<OutputGradientArgs>(args), width = s.reader.width;
  const factor = v128.load(s.conversion), summand = v128.load(s.conversion, 16), zero = f32x4.splat(0);
  readPixels(s.reader, item, 0, width, scratch);
  let to = s.to + item * width * 16, from = s.image + item * width * 12;
  for (let x: usize = 0; x < width; x++, to += 16, from += 12) {
    const value = multiplyAdd(v128.load(scratch + x * 16), factor, summand);
    const open = v128.and(f32x4.ge(value, zero), f32x4.le(value, f32x4.splat(1)));
    // The fourth value is the next pixel's.
    const g = f32x4.replace_lane(v128.load(from), 3, 0);
    v128.store(to, v128.and(open, f32x4.mul(g, factor)));
  }
}

/** Arguments of `generatorUnpool`. */
@unmanaged
class UnpoolArgs {
  /** The gradient of the means, [h / factor][w / factor][channels]. */
  from: usize;
  /** The gradient of the values, [h][w][channels]. */
  to: usize;
  width: usize; channels: usize; factor: usize;
  /** Not 0: added to what is there. */
  onto: usize;
}

/** A row of the gradient of values of which means are taken. */
export function generatorUnpool(args: usize, item: usize, scratch: usize): void {
  const s = changetype<UnpoolArgs>(args), pixel = s.channels << 2, factor = s.factor;
  const share = f32x4.splat(1 / <f32>(factor * factor));
  const from = s.from + item / factor * (s.width / factor) * pixel, to = s.to + item * s.width * pixel;
  for (let x: usize = 0; x < s.width; x++) {
    for (let c: usize = 0; c < pixel; c += 16) {
      const value = f32x4.mul(share, v128.load(from + x / factor * pixel + c)), at = to + x * pixel + c;
      v128.store(at, s.onto ? f32x4.add(v128.load(at), value) : value);
    }
  }
}
