import { multiplyAdd } from '../../runtime/assembly/simd';
import { activate } from './activation';

/**
 * A map as an operation reads it: normalised, through a function, doubled in size. A map has a multiple of four
 * channels, of which the last may be padding; the image alone has three.
 */
@unmanaged
export class Source {
  /** [h][w][c], or half of both if it is doubled; 0 for none. */
  map: usize;
  /** Factors [period], then summands [period], see `Reader.period`; 0 for none. */
  affine: usize;
  /** What `activate` takes. */
  activation: usize;
  slope: f32;
  /** 1: each value twice in both directions. */
  doubled: usize;
}

/** The sum of one or two sources. The host writes it into memory, four bytes a field, in this order. */
@unmanaged
export class Reader {
  height: usize; width: usize; channels: usize;
  /** Values after which the channels of consecutive pixels are at the same place in a vector: 12 for three channels. */
  period: usize;
}

/** Bytes of a {@link Reader} before its two sources, and of a {@link Source}. */
const SOURCES: usize = 16;
const SOURCE_BYTES: usize = 20;

/**
 * Computes `count` pixels of a row, from (y, x) on. Up to three pixels of three channels more are written, whose values
 * are not to be used.
 */
export function readPixels(r: Reader, y: usize, x: usize, count: usize, to: usize): void {
  const sources = changetype<usize>(r) + SOURCES;
  readSource(r, changetype<Source>(sources), y, x, count, to, false);
  const second = changetype<Source>(sources + SOURCE_BYTES);
  if (second.map) readSource(r, second, y, x, count, to, true);
}

function readSource(r: Reader, s: Source, y: usize, x: usize, count: usize, to: usize, onto: bool): void {
  const period = r.period << 2, pixel = r.channels << 2, groups = (count * pixel + period - 1) / period;
  const one = f32x4.splat(1), none = f32x4.splat(0);
  const width = r.width >> s.doubled, row = s.map + (y >> s.doubled) * width * pixel;
  for (let c: usize = 0; c < period; c += 16) {
    const factor = s.affine ? v128.load(s.affine + c) : one, summand = s.affine ? v128.load(s.affine + period + c) : none;
    if (s.doubled) {
      for (let i: usize = 0, dst = to + c; i < count; i++, dst += pixel)
        put(dst, row + ((x + i) >> 1) * pixel + c, factor, summand, s, onto);
    } else {
      let src = row + x * pixel + c, dst = to + c;
      for (const end = dst + groups * period; dst != end; src += period, dst += period) put(dst, src, factor, summand, s, onto);
    }
  }
}

// @ts-ignore: decorator
@inline function put(to: usize, from: usize, factor: v128, summand: v128, s: Source, onto: bool): void {
  const x = multiplyAdd(v128.load(from), factor, summand);
  const value = s.activation == 1 ? f32x4.pmax(f32x4.splat(0), x) : activate(x, s.activation, s.slope);
  v128.store(to, onto ? f32x4.add(v128.load(to), value) : value);
}
