import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WeightsError } from '../../../src/errors';
import { safetensorsWeights } from '../../../src/features';
import type { ConvLayer } from '../../../src/features/vgg19/layers';
import { nodeWeights } from '../../../src/node/node-weights';
import { memoryCache } from '../../../src/storage';
import { parseHeader, parseHeaderLength } from '../../../src/weights/safetensors';
import { FileServer } from '../../support/file-server';
import { concatenate, expectMade, lengthAndHeader, safetensorsFile } from '../../support/small-model';

const layers: ConvLayer[] = ['conv1_1', 'conv2_1', 'conv1_2'];
const layerBytes = { conv1_1: 7168, conv1_2: 147712, conv2_1: 295424 };

describe('a safetensors file on a server', () => {
  const file = safetensorsFile(layers);
  let server = new FileServer(new Map());
  beforeEach(async () => {
    server = await new FileServer(new Map([['vgg.safetensors', file]])).start();
  });
  afterEach(() => server.stop());

  it('is read by ranges: the header and the layers, no more', async () => {
    const weights = await safetensorsWeights(`${server.url}vgg.safetensors`).read(['conv1_2', 'conv1_1']);
    expectMade(weights, 'conv1_1');
    expectMade(weights, 'conv1_2');
    const spans = server.requests.map(({ range }) => (range?.match(/\d+/g) ?? []).map(Number));
    const [from, to] = spans[1];
    const header = to - from + 1;
    const data = spans.slice(2).reduce((sum, [from, to]) => sum + to - from + 1, 0);
    // The header comes along with the layers, to show that the file is still the same.
    expect(data).toBe(header + layerBytes.conv1_1 + layerBytes.conv1_2);
  });

  it('is read in one go, to its last wanted byte, from a server that ignores ranges', async () => {
    server.ranges = false;
    let sent = 0;
    server.interfere = (_, response) => {
      // In pieces and slowly, so that what is not read is not sent.
      let at = 0;
      response.writeHead(200, { 'Content-Length': file.length });
      const send = () => {
        if (response.destroyed) return;
        response.write(file.subarray(at, at + 4096));
        sent += Math.min(4096, file.length - at);
        at += 4096;
        if (at < file.length) setTimeout(send, 1);
        else response.end();
      };
      send();
      return true;
    };
    const weights = await safetensorsWeights(`${server.url}vgg.safetensors`).read(['conv1_1', 'conv2_1']);
    expectMade(weights, 'conv1_1');
    expectMade(weights, 'conv2_1');
    expect(server.requests).toHaveLength(3);
    expect(sent).toBeLessThan(file.length);
  });

  it('is not fetched twice, whichever layers are asked for next', async () => {
    const cache = memoryCache();
    const source = safetensorsWeights(`${server.url}vgg.safetensors`, { cache });
    await source.read(['conv1_1', 'conv1_2']);
    server.requests.length = 0;
    expectMade(await source.read(layers), 'conv2_1');
    const data = server.requests.reduce((sum, { range }) => {
      const [from, to] = (range?.match(/\d+/g) ?? []).map(Number);
      return sum + to - from + 1;
    }, 0);
    expect(data).toBe(layerBytes.conv2_1);
    server.requests.length = 0;
    const offline = safetensorsWeights(`${server.url}vgg.safetensors`, { cache, offline: true });
    for (const layer of layers) expectMade(await offline.read([layer]), layer);
    expect(server.requests).toEqual([]);
  });

  it('is not fetched twice by two loads at the same time, of layers that overlap', async () => {
    const cache = memoryCache();
    const load = (names: ConvLayer[]) =>
      safetensorsWeights(`${server.url}vgg.safetensors`, { cache }).read(names);
    const [first, second] = await Promise.all([load(['conv1_1', 'conv1_2']), load(layers)]);
    expectMade(first, 'conv1_2');
    for (const layer of layers) expectMade(second, layer);
    const fetched = server.requests.filter(({ method }) => method === 'GET').map(({ range }) => range);
    expect(fetched).toEqual([...new Set(fetched)]);
    const data = fetched.reduce((sum, range) => {
      const [from, to] = (range?.match(/\d+/g) ?? []).map(Number);
      return sum + to - from + 1;
    }, 0);
    expect(data).toBeLessThan(file.length + 1);
  });

  it('is refused where it ends before its tensors do', async () => {
    server.files.set('vgg.safetensors', file.slice(0, file.length - 1));
    const reading = safetensorsWeights(`${server.url}vgg.safetensors`, { retryDelayMs: 1 }).read(layers);
    await expect(reading).rejects.toMatchObject({ name: 'WeightsError', code: 'WRONG_SIZE' });
  });
});

describe('a safetensors file on disk', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weights-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const sourceOf = async (bytes: Uint8Array) => {
    await writeFile(join(folder, 'a.safetensors'), bytes);
    return nodeWeights(join(folder, 'a.safetensors'));
  };

  it('is read in F32 and BF16, with the convention of torchvision', async () => {
    for (const dtype of ['F32', 'BF16'] as const) {
      const source = await sourceOf(safetensorsFile(layers, dtype));
      expect(source.convention).toBe('torchvision');
      expectMade(await source.read(layers), 'conv2_1');
    }
  });

  it('is refused where a layer is missing or has another shape', async () => {
    const source = await sourceOf(safetensorsFile(layers));
    await expect(source.read(['conv3_1'])).rejects.toMatchObject({
      code: 'MISSING_LAYER',
      accepted: ['conv1_1', 'conv1_2', 'conv2_1'],
    });
    const other = { dtype: 'F32', shape: [64, 3, 1, 9], data_offsets: [0, 6912] };
    const json = JSON.stringify({ 'features.0.weight': other });
    const wrong = await sourceOf(concatenate([...lengthAndHeader(json), new Uint8Array(6912)]));
    await expect(wrong.read(['conv1_1'])).rejects.toThrow(
      /expected \[64,3,3,3\] \(1728 numbers\), found \[64,3,1,9\]/,
    );
  });

  it('is refused where its tensors end after it', async () => {
    const source = await sourceOf(safetensorsFile(layers).slice(0, -1));
    await expect(source.read(['conv1_1'])).rejects.toThrow(/its tensors end at byte \d+, the file at \d+/);
  });
});

describe('the header of a safetensors file', () => {
  const parse = (header: unknown, bytes?: number) =>
    parseHeader(new TextEncoder().encode(JSON.stringify(header)), 'x', bytes);
  const f32 = (shape: unknown, from: unknown, to: unknown) => ({
    dtype: 'F32',
    shape,
    data_offsets: [from, to],
  });

  it('is refused where its length lies', () => {
    for (const length of [0n, 1n, 2n ** 40n, 2n ** 64n - 1n]) {
      const [start] = lengthAndHeader('{}', length);
      expect(() => parseHeaderLength(start, 'x')).toThrow(WeightsError);
    }
    expect(parseHeaderLength(lengthAndHeader('{}', 2n)[0], 'x')).toBe(2);
  });

  it('is refused where tensors overlap, leave holes, or take another number of bytes than their shape', () => {
    expect(parse({ a: f32([2], 0, 8), b: f32([], 8, 12) }).tensors.size).toBe(2);
    expect(() => parse({ a: f32([2], 0, 8), b: f32([1], 4, 8) })).toThrow(
      /'b' overlaps the tensor before it/,
    );
    expect(() => parse({ a: f32([2], 0, 8), b: f32([1], 12, 16) })).toThrow(/'b' leaves a hole before it/);
    expect(() => parse({ a: f32([3], 0, 8) })).toThrow(/F32 of shape \[3\], takes 8 bytes/);
    expect(() => parse({ a: f32([2 ** 40, 2 ** 40], 0, 8) })).toThrow(WeightsError);
    expect(() => parse({ a: f32([-1], 0, -4) })).toThrow(WeightsError);
    expect(() => parse({ a: f32([1], 8, 4) })).toThrow(WeightsError);
    expect(() => parse({ a: f32([1.5], 0, 6) })).toThrow(WeightsError);
    expect(() => parse({ a: f32([1], 0, 4) }, 10)).toThrow(/the file at 10/);
  });

  it('takes names of the prototype as names', () => {
    const text = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"constructor":{}}';
    expect(() => parseHeader(new TextEncoder().encode(text), 'x', undefined)).toThrow(
      /'constructor' has dtype undefined/,
    );
    const proto = parseHeader(
      new TextEncoder().encode(text.replace(/,"constructor":{}/, '')),
      'x',
      undefined,
    );
    expect([...proto.tensors.keys()]).toEqual(['__proto__']);
    expect(({} as { dtype?: string }).dtype).toBeUndefined();
  });

  it('gives its tensors or a WeightsError, whatever it holds', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.integer(),
      fc.constantFrom('F32', 'F16', 'I64', '__proto__', Number.MAX_SAFE_INTEGER),
    );
    const entry = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          dtype: value,
          shape: fc.oneof(value, fc.array(fc.nat(9))),
          data_offsets: fc.oneof(value, fc.tuple(fc.nat(99), fc.nat(99))),
        },
        { requiredKeys: [] },
      ),
    );
    const header = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), entry),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          header.map((json) => JSON.stringify(json)),
          fc.string(),
        ),
        (text) => {
          try {
            for (const { offset, length } of parseHeader(
              new TextEncoder().encode(text),
              'x',
              1000,
            ).tensors.values())
              expect(offset + length).toBeLessThanOrEqual(1000);
          } catch (error) {
            expect(error).toBeInstanceOf(WeightsError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives its tensors or a WeightsError, whichever of its bytes are wrong', () => {
    const good = concatenate([
      ...lengthAndHeader(JSON.stringify({ a: f32([2], 0, 8), b: f32([1, 3], 8, 20) })),
      new Uint8Array(20),
    ]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 21), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = good.slice();
          for (const [at, value] of changes) bytes[at] = value;
          try {
            const length = parseHeaderLength(bytes.subarray(0, 8), 'x');
            const { tensors } = parseHeader(bytes.subarray(8, 8 + length), 'x', good.length);
            for (const { offset, length } of tensors.values())
              expect(offset + length).toBeLessThanOrEqual(good.length);
          } catch (error) {
            expect(error).toBeInstanceOf(WeightsError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
