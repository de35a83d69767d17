import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WeightsError } from '../../src/errors';
import { parseModelJson } from '../../src/weights/model-json';

const parse = (json: unknown) => parseModelJson(JSON.stringify(json), 'model.json');
const model = (...weights: unknown[]) => ({ weightsManifest: [{ paths: ['a.bin'], weights }] });

describe('a model.json', () => {
  it('tells where tensors lie, one after the other, quantised ones by their stored size', () => {
    const { groups } = parse(
      model(
        { name: 'a', shape: [2, 3], dtype: 'float32' },
        { name: 'b', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 1, min: 0 } },
        { name: 'c', shape: [], dtype: 'float32', quantization: { dtype: 'float16' } },
        { name: 'd', shape: [5], dtype: 'int32' },
        { name: 'e', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'int8', scale: [0.5, 0.25] } },
      ),
    );
    expect(groups[0].tensors.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 24],
      [24, 3],
      [27, 2],
      [29, 20],
      [49, 4],
    ]);
    expect(groups[0].totalBytes).toBe(53);
  });

  it('is refused where its shapes, types or scales make no sense', () => {
    const quantised = (quantization: unknown, shape: unknown = [2]) => ({
      name: 'a',
      shape,
      dtype: 'float32',
      quantization,
    });
    for (const weight of [
      { name: 'a', shape: [1e9, 1e9], dtype: 'float32' },
      { name: 'a', shape: [-1], dtype: 'float32' },
      { name: 'a', shape: [0.5], dtype: 'float32' },
      { name: 'a', shape: 'ab', dtype: 'float32' },
      { name: 'a', shape: Array(9).fill(1), dtype: 'float32' },
      { name: 1, shape: [1], dtype: 'float32' },
      { name: 'a', shape: [1], dtype: 'string' },
      { name: 'a', shape: [1], dtype: '__proto__' },
      quantised({ dtype: 'uint8', scale: 'x', min: 0 }),
      quantised({ dtype: 'uint16', scale: 1 }),
      quantised({ dtype: 'int8', scale: [1] }),
      quantised({ dtype: 'int8', scale: 1 }),
      quantised({ dtype: 'float32' }),
      quantised(null),
      null,
    ])
      expect(() => parse(model(weight)), JSON.stringify(weight)).toThrow(WeightsError);
    for (const json of [
      null,
      [],
      {},
      { weightsManifest: {} },
      { weightsManifest: [null] },
      { weightsManifest: [{ paths: [], weights: [] }] },
    ])
      expect(() => parse(json), JSON.stringify(json)).toThrow(WeightsError);
    expect(() => parseModelJson('<!DOCTYPE html>', 'model.json')).toThrow(
      /it is not JSON: '<!DOCTYPE html>'/,
    );
  });

  it('is read or refused by a WeightsError, whatever it holds', () => {
    const spice = fc.constantFrom(
      'float32',
      'uint8',
      'int8',
      'float16',
      '__proto__',
      'constructor',
      '../a',
      1e300,
      -1,
      [3],
      { dtype: 'uint8' },
    );
    const value = fc.oneof(fc.jsonValue(), spice);
    const weight = fc.record(
      {
        name: value,
        shape: fc.oneof(value, fc.array(fc.nat())),
        dtype: value,
        quantization: fc.oneof(value, fc.record({ dtype: value, scale: value, min: value })),
      },
      { requiredKeys: [] },
    );
    const group = fc.oneof(
      value,
      fc.record({
        paths: fc.array(fc.oneof(fc.string(), value)),
        weights: fc.array(fc.oneof(value, weight)),
      }),
    );
    const json = fc.oneof(fc.jsonValue(), fc.record({ weightsManifest: fc.oneof(value, fc.array(group)) }));
    fc.assert(
      fc.property(
        fc.oneof(
          json.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        (text) => {
          try {
            for (const { totalBytes } of parseModelJson(text, 'model.json').groups)
              expect(totalBytes).toBeLessThan(2 ** 33);
          } catch (error) {
            expect(error).toBeInstanceOf(WeightsError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
