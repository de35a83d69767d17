/** Storage format of numbers: little-endian, row-major. Quantised: value = stored * scale + min. */
export type TensorEncoding =
  | { readonly type: 'float32' | 'float16' | 'bfloat16' }
  | { readonly type: 'uint8' | 'uint16'; readonly scale: number; readonly min: number }
  /** Symmetric, with a scale for each index of the last axis: value = stored * scale[channel]. */
  | { readonly type: 'int8'; readonly scale: Float32Array };

/** Bytes of one stored number. */
export const bytesPerElement: Readonly<Record<TensorEncoding['type'], number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  uint8: 1,
  uint16: 2,
  int8: 1,
};

/** The numbers that `bytes` hold. Float32 at an aligned address is a view of `bytes`, all else a copy. */
export function decodeTensor(bytes: Uint8Array<ArrayBuffer>, encoding: TensorEncoding): Float32Array {
  const stored = alignedView(bytes, bytesPerElement[encoding.type]);
  if (encoding.type === 'float32')
    return new Float32Array(stored.buffer, stored.byteOffset, stored.length / 4);
  if (encoding.type === 'int8') return decodeInt8(stored, encoding.scale);
  if (encoding.type === 'uint8') return decodeQuantised(stored, encoding);
  const words = new Uint16Array(stored.buffer, stored.byteOffset, stored.length / 2);
  if (encoding.type === 'uint16') return decodeQuantised(words, encoding);
  return encoding.type === 'float16' ? decodeFloat16(words) : decodeBfloat16(words);
}

/**
 * Float32 as int8 with a scale for each index of the last axis: the largest magnitude there becomes 127.
 *
 * @param channels extent of the last axis
 */
export function encodeInt8(
  values: Float32Array,
  channels: number,
): { readonly stored: Int8Array<ArrayBuffer>; readonly scale: Float32Array<ArrayBuffer> } {
  const scale = new Float32Array(channels);
  for (const [i, value] of values.entries())
    scale[i % channels] = Math.max(scale[i % channels], Math.abs(value) / 127);
  const stored = Int8Array.from(values, (value, i) => Math.round(value / (scale[i % channels] || 1)));
  return { stored, scale };
}

/** Float32 as the nearest float16, ties to even; beyond 65504 infinite. */
export function encodeFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (bit) => {
    const sign = (bit >>> 16) & 0x8000;
    const magnitude = bit & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    if (magnitude >= 0x477ff000) return sign | 0x7c00;
    // Below 2^-14 float16 counts in steps of 2^-24: the shift drops 13 bits more for each power of two below.
    const exponent = magnitude >>> 23;
    if (exponent < 102) return sign;
    const subnormal = exponent < 113;
    const shift = subnormal ? 126 - exponent : 13;
    const significand = subnormal ? (magnitude & 0x7fffff) | 0x800000 : magnitude - (112 << 23);
    const half = 1 << (shift - 1);
    const odd = (significand >>> shift) & 1;
    return sign | ((significand + half - 1 + odd) >>> shift);
  });
}

function alignedView(bytes: Uint8Array<ArrayBuffer>, alignment: number): Uint8Array<ArrayBuffer> {
  // The slice of a Buffer is no copy.
  return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
}

function decodeQuantised(stored: Uint8Array | Uint16Array, { scale, min }: { scale: number; min: number }) {
  return Float32Array.from(stored, (value) => value * scale + min);
}

function decodeInt8(stored: Uint8Array, scale: Float32Array): Float32Array {
  const values = new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) values[i] = ((stored[i] << 24) >> 24) * scale[i % scale.length];
  return values;
}

function decodeBfloat16(words: Uint16Array): Float32Array {
  const values = new Float32Array(words.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < words.length; i++) bits[i] = words[i] << 16;
  return values;
}

/** A float16's bits in the places of float32's are its value times 2^-112, also below float16's normal numbers. */
function decodeFloat16(words: Uint16Array): Float32Array {
  const values = new Float32Array(words.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < words.length; i++) {
    const finite = (words[i] & 0x7c00) < 0x7c00;
    bits[i] = ((words[i] & 0x8000) << 16) | ((words[i] & 0x7fff) << 13) | (finite ? 0 : 0x7f800000);
    if (finite) values[i] *= 2 ** 112;
  }
  return values;
}
