import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTensor, encodeFloat16 } from '../../src/weights/tensor-encoding';

const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

describe('stored numbers', () => {
  it('are float16 by IEEE 754', () => {
    const bytes = words(0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x8000, 0x7c00);
    const expected = [1, -2, 0.333251953125, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, -0, Infinity];
    expect([...decodeTensor(bytes, { type: 'float16' })]).toEqual(expected);
    expect(decodeTensor(words(0x7e00), { type: 'float16' })[0]).toBeNaN();
  });

  it('are bfloat16 as the upper half of float32', () => {
    expect([...decodeTensor(words(0x3f80, 0xc049), { type: 'bfloat16' })]).toEqual([1, -3.140625]);
  });

  it('are quantised as tfjs does it: value = stored * scale + min', () => {
    const bytes = Uint8Array.from([0, 1, 255]);
    expect([...decodeTensor(bytes, { type: 'uint8', scale: 0.5, min: -1 })]).toEqual([-1, -0.5, 126.5]);
    expect([...decodeTensor(words(0, 65535), { type: 'uint16', scale: 2, min: 1 })]).toEqual([1, 131071]);
  });

  it('are int8 with a scale for each index of the last axis', () => {
    const bytes = Uint8Array.from([1, 1, 0xff, 0x81]);
    const scale = Float32Array.of(0.5, 2);
    expect([...decodeTensor(bytes, { type: 'int8', scale })]).toEqual([0.5, 2, -0.5, -254]);
  });

  it('are read at any address', () => {
    const all = new Uint8Array(9);
    all.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
    expect([...decodeTensor(all.subarray(1), { type: 'float32' })]).toEqual([1.5, -2]);
    // Whose slices are no copies.
    const buffer = Buffer.from(all.buffer, 1);
    expect([...decodeTensor(buffer, { type: 'float32' })]).toEqual([1.5, -2]);
  });
});

describe('float16 of float32', () => {
  it('is exact where float16 can say it', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((word) => (word & 0x7c00) !== 0x7c00);
    const back = encodeFloat16(decodeTensor(new Uint8Array(all.buffer), { type: 'float16' }));
    expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(all.buffer))).toBe(0);
  });

  it('is the nearest, ties to even', () => {
    const half = 2 ** -11;
    expect([
      ...encodeFloat16(Float32Array.of(1 + half, 1 + 3 * half, 65519, 65520, 2 ** -25, 1.5 * 2 ** -24)),
    ]).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 2]);
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65504, max: 65504 }), (value) => {
        const [word] = encodeFloat16(Float32Array.of(value));
        const decode = (bits: number) => decodeTensor(words(bits), { type: 'float16' })[0];
        const error = Math.abs(decode(word) - value);
        for (const near of [word - 1, word + 1].filter((bits) => bits >= 0 && (bits & 0x7c00) !== 0x7c00))
          expect(error).toBeLessThanOrEqual(Math.abs(decode(near) - value));
      }),
    );
  });
});
