import { describe, expect, it } from 'vitest';
import { crossing } from '../../src/worker/crossing';

describe('values on their way to a worker', () => {
  it('are the same plain data, with addresses as texts', async () => {
    const values = {
      size: 256,
      scales: [{ size: 64, iterations: 3 }],
      weights: new URL('https://example.org/vgg19/model.json?a=b'),
      init: 'noise',
      left: undefined,
      nothing: null,
    };
    const { value, transfer } = await crossing(values);
    expect(value).toEqual({ ...values, weights: 'https://example.org/vgg19/model.json?a=b' });
    expect(transfer).toEqual([]);
  });

  it('are copies of arrays, of their own part of a buffer only, which move', async () => {
    const whole = new Float32Array([9, 1, 2, 3, 9]);
    const data = whole.subarray(1, 4);
    const { value, transfer } = await crossing({ content: { data, width: 1, height: 1, channels: 3 } });
    expect(value.content).toEqual({ data: new Float32Array([1, 2, 3]), width: 1, height: 1, channels: 3 });
    expect(value.content.data.buffer.byteLength).toBe(12);
    expect(transfer).toEqual([value.content.data.buffer]);
    structuredClone(value, { transfer });
    expect(whole).toEqual(new Float32Array([9, 1, 2, 3, 9]));
  });

  it('take shared memory along as a copy that is not shared', async () => {
    const data = new Uint8Array(new SharedArrayBuffer(3));
    const { value } = await crossing({ content: { data, width: 1, height: 1, channels: 3 } });
    expect(value.content.data.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('keep the tensors of a style file, a map', async () => {
    const tensors = new Map([['gram.conv1_1', { shape: [1, 1], values: new Float32Array([0.5]) }]]);
    const { value } = await crossing({ style: [{ image: { kind: 'style', tensors }, weight: 2 }] });
    expect(value.style[0].image.tensors).toEqual(tensors);
    expect(value.style[0].image.tensors).not.toBe(tensors);
  });

  it('become pixels if they are tensors', async () => {
    const tensor = {
      dataId: {},
      shape: [1, 1, 3],
      dtype: 'float32',
      data: async () => new Float32Array([0, 0.5, 1]),
    };
    const { value } = await crossing({ content: tensor as unknown });
    expect(value.content).toEqual({ data: new Float32Array([0, 0.5, 1]), width: 1, height: 1, channels: 3 });
  });

  it.each([
    [{ loss: () => 1 }, 'loss', 'a function'],
    [{ regions: [{ mask: { at: () => 1 } }] }, 'regions[0].mask.at', 'a function'],
    [{ weights: new (class Source {})() }, 'weights', 'a Source'],
    [{ extractor: new Map([['layer', () => 1]]) }, "extractor.get('layer')", 'a function'],
  ])('are refused by name where they cannot cross: %o', async (values, option, shown) => {
    const message = `${option} is ${shown}, which cannot cross to a worker; accepted: an image, plain data, or the URL of a module.`;
    await expect(crossing(values)).rejects.toMatchObject({ code: 'WRONG_TYPE', option, message });
  });
});
