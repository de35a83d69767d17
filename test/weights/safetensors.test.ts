import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/weights/safetensors';
import { safetensorsBytes } from '../../src/weights/safetensors-writer';
import type { NamedTensor } from '../../src/weights/tensor-file';

const reference = new URL('../reference/', import.meta.url);
const numbers = JSON.parse(readFileSync(new URL('safetensors.json', reference), 'utf8')) as {
  metadata: Record<string, string>;
  tensors: Record<string, { shape: number[]; values: number[] }>;
};
const bytesOf = (file: string) => Uint8Array.from(readFileSync(new URL(file, reference)));

describe('a whole safetensors file', () => {
  it('is read as the Python package wrote it: names, shapes, numbers of F32 and F16, metadata', () => {
    const { tensors, metadata } = readSafetensors(bytesOf('safetensors.safetensors'), 'the file');
    expect(Object.fromEntries(metadata)).toEqual(numbers.metadata);
    expect([...tensors.keys()].sort()).toEqual(Object.keys(numbers.tensors).sort());
    for (const [name, { shape, values }] of tensors)
      expect({ shape, values: [...values] }).toEqual(numbers.tensors[name]);
  });

  it('is refused where it is cut off, has a number of another type, or is no such file', () => {
    const bytes = bytesOf('safetensors.safetensors');
    const read = (some: Uint8Array<ArrayBuffer>) => () => readSafetensors(some, 'the file');
    for (const length of [0, 7, 8, 60, bytes.length - 1])
      expect(read(bytes.slice(0, length)), `${length} bytes`).toThrow('the file');
    expect(read(new TextEncoder().encode('\x89PNG\r\n\x1a\n and so on'))).toThrow('header');
    const integers = Buffer.from(Buffer.from(bytes).toString('latin1').replace('"F16"', '"I16"'), 'latin1');
    expect(read(Uint8Array.from(integers))).toThrow('mean.conv1_1');
  });
});

describe('the writer of safetensors files', () => {
  it('gives what the reader reads, to the bit, with any names, shapes, numbers and metadata', () => {
    const tensor: fc.Arbitrary<NamedTensor> = fc
      .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
      .chain((shape) => {
        const length = shape.reduce((a, b) => a * b, 1);
        return fc.float32Array({ minLength: length, maxLength: length }).map((values) => ({ shape, values }));
      });
    const name = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !['__metadata__', '__proto__'].includes(text));
    const entries = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 5 });
    const texts = fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'grapheme' })), {
      selector: ([key]) => key,
    });
    fc.assert(
      fc.property(entries, texts, (tensors, metadata) => {
        const bytes = safetensorsBytes(new Map(tensors), Object.fromEntries(metadata));
        const read = readSafetensors(bytes, 'the file');
        expect(new Map(read.metadata)).toEqual(new Map(metadata));
        expect([...read.tensors.keys()].sort()).toEqual(tensors.map(([key]) => key).sort());
        for (const [key, { shape, values }] of tensors) {
          const found = read.tensors.get(key);
          expect(found?.shape).toEqual(shape);
          expect(bitsOf(found?.values)).toEqual(bitsOf(values));
        }
        expect(safetensorsBytes(new Map(tensors), Object.fromEntries(metadata))).toEqual(bytes);
      }),
    );
  });

  it('writes the bytes that the Python package writes', () => {
    const values = Float32Array.of(1, -2, 0.5);
    const bytes = safetensorsBytes(new Map([['mean.conv1_1', { shape: [3], values }]]), { a: 'b' });
    expect(bytes).toEqual(bytesOf('safetensors-of-one.safetensors'));
  });

  it('refuses a tensor that has not the numbers of its shape', () => {
    const tensors = new Map([['gram', { shape: [2, 2], values: new Float32Array(3) }]]);
    expect(() => safetensorsBytes(tensors)).toThrow(
      "'gram' of shape [2,2] has 3 numbers; accepted: 4 numbers",
    );
  });
});

const bitsOf = (values: Float32Array | undefined) =>
  values && [...new Uint32Array(values.slice().buffer)].map((bits) => bits.toString(16));
