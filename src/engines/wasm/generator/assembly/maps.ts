import { multiplyAdd, smaller } from '../../runtime/assembly/simd';
import { Reader, readPixels } from './reader';

/** Arguments of `generatorStore`. */
@unmanaged
class StoreArgs {
  reader: Reader;
  /** Row of the first item. */
  firstRow: usize;
  /** [h][w][channels] */
  to: usize;
  channels: usize;
  /** The first channel that is written, and how many are. */
  first: usize; count: usize;
}

/** Writes a row of a reader's values into a map, perhaps beside other channels. */
export function generatorStore(args: usize, item: usize, scratch: usize): void {
  const s = changetype<StoreArgs>(args), r = s.reader;
  const y = s.firstRow + item, to = s.to + y * r.width * s.channels * 4;
  readPixels(r, y, 0, r.width, scratch);
  // What is written beside others must leave them as they are.
  if (r.channels == s.channels && s.first == 0) {
    memory.copy(to, scratch, r.width * r.channels * 4);
    return;
  }
  // Channels behind the last ones are padding.
  const end = smaller((s.first + s.count + 3) & ~3, s.channels);
  for (let x: usize = 0; x < r.width; x++) {
    const pixel = to + x * s.channels * 4, from = scratch + x * r.channels * 4;
    for (let c: usize = 0; c < s.count; c++) store<f32>(pixel + (s.first + c << 2), load<f32>(from + (c << 2)));
    for (let c = s.first + s.count; c < end; c++) store<f32>(pixel + (c << 2), 0);
  }
}

/** Arguments of `generatorPool`. */
@unmanaged
class PoolArgs {
  reader: Reader;
  /** Row of the first item. */
  firstRow: usize;
  /** [h / factor][w / factor][channels] */
  to: usize;
  channels: usize;
  factor: usize;
}

/** A row of means of windows. */
export function generatorPool(args: usize, item: usize, scratch: usize): void {
  const s = changetype<PoolArgs>(args), r = s.reader, factor = s.factor, width = r.width / factor;
  const y = s.firstRow + item, to = s.to + y * width * s.channels * 4;
  const share: f32 = 1 / <f32>(factor * factor);
  memory.fill(to, 0, width * s.channels * 4);
  for (let k: usize = 0; k < factor; k++) {
    readPixels(r, y * factor + k, 0, r.width, scratch);
    for (let x: usize = 0; x < width * factor; x++) {
      const pixel = to + x / factor * s.channels * 4, from = scratch + x * r.channels * 4;
      for (let c: usize = 0; c < r.channels; c++) {
        const at = pixel + (c << 2);
        store<f32>(at, load<f32>(at) + share * load<f32>(from + (c << 2)));
      }
    }
  }
}

/** Arguments of `generatorOutput`. */
@unmanaged
class OutputArgs {
  reader: Reader;
  /** Row of the first item. */
  firstRow: usize;
  /** [h][w][3] */
  image: usize;
  /** Factors of R, G, B and 0; then summands. */
  conversion: usize;
}

/** A row of the image: values converted to RGB, clipped to [0,1]. */
export function generatorOutput(args: usize, item: usize, scratch: usize): void {
  const s = changetype<OutputArgs>(args), r = s.reader;
  const factor = v128.load(s.conversion), summand = v128.load(s.conversion, 16);
  const y = s.firstRow + item;
  readPixels(r, y, 0, r.width, scratch);
  let to = s.image + y * r.width * 12;
  for (let x: usize = 0; x < r.width; x++, to += 12) {
    const value = multiplyAdd(v128.load(scratch + x * r.channels * 4), factor, summand);
    const clipped = f32x4.min(f32x4.splat(1), f32x4.max(f32x4.splat(0), value));
    v128.store64_lane(to, clipped, 0);
    v128.store32_lane(to, clipped, 2, 8);
  }
}
