import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layersModelWeights } from '../../../src/features';
import { readLayers } from '../../../src/features/vgg19/check-layers';
import type { ConvLayer } from '../../../src/features/vgg19/layers';
import type { WeightSource } from '../../../src/features/vgg19/source';
import { directoryWeights } from '../../../src/node/directory-weights';
import { FileServer } from '../../support/file-server';
import { hasShared, shared } from '../../support/shared';
import { expectMade, modelFiles } from '../../support/small-model';

const firstThree: ConvLayer[] = ['conv1_1', 'conv1_2', 'conv2_1'];
const total = 7168 + 147712 + 295424;

describe.skipIf(!hasShared('vgg19'))('VGG-19 as it is published', () => {
  it('gives the numbers that lie in the shards', async () => {
    const weights = await directoryWeights(shared('vgg19')).read(['conv1_1', 'conv2_2']);
    const stored = readFileSync(shared('vgg19/group4-shard1of1'));
    const numbers = new Float32Array(
      stored.buffer.slice(stored.byteOffset, stored.byteOffset + stored.length),
    );
    expect([...weights.keys()]).toEqual(['conv1_1', 'conv2_2']);
    expect(weights.get('conv2_2')?.kernel).toEqual(numbers.subarray(0, 147456));
    expect(weights.get('conv2_2')?.bias).toEqual(numbers.subarray(147456));
  });

  it('gives half a quantisation step from uint8, cut every MB', async () => {
    const layers: ConvLayer[] = ['conv1_1', 'conv3_2', 'conv3_4'];
    const exact = await directoryWeights(shared('vgg19')).read(layers);
    const quantised = await directoryWeights(shared('vgg19-uint8/model.json')).read(layers);
    const steps = {
      conv1_1: 0.004713413060880175,
      conv3_2: 0.0027369221051534018,
      conv3_4: 0.0013224616938946293,
    };
    for (const [layer, step] of Object.entries(steps) as [ConvLayer, number][]) {
      const none = new Float32Array(0);
      const [a, b] = [exact.get(layer)?.kernel ?? none, quantised.get(layer)?.kernel ?? none];
      const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
      expect(worst).toBeLessThan(0.5001 * step);
      expect(worst).toBeGreaterThan(0.4 * step);
    }
  });

  it('gives all 16 convolutions of the uint8 model', async () => {
    const layers = ['conv5_1', 'conv5_4', 'conv4_3'] as const;
    const weights = await directoryWeights(shared('vgg19-uint8')).read(layers);
    expect(weights.get('conv5_4')?.kernel).toHaveLength(9 * 512 * 512);
  });
});

describe('a model in a directory', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weights-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const write = async (files: Map<string, Uint8Array>) => {
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  };

  it('may be cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.integer({ min: 1000, max: 200_000 })),
        fc.subarray(firstThree, { minLength: 1 }),
        async (sizes, layers) => {
          await write(modelFiles(firstThree, () => sizes.next().value ?? 1000));
          const weights = await directoryWeights(folder).read(layers);
          for (const layer of layers) expectMade(weights, layer);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('needs only the files of the layers that are read', async () => {
    const files = modelFiles(firstThree, (i) => [7168, 147712, 295424][i]);
    files.delete('shard3.bin');
    await write(files);
    const source = directoryWeights(folder);
    expectMade(await source.read(['conv1_2']), 'conv1_2');
    await expect(source.read(['conv2_1'])).rejects.toMatchObject({
      name: 'WeightsError',
      code: 'FILE_NOT_FOUND',
    });
  });

  it('is refused where a file is too short, named with both sizes', async () => {
    const files = modelFiles(firstThree, () => total);
    files.set('shard1.bin', (files.get('shard1.bin') ?? new Uint8Array()).slice(0, 5000));
    await write(files);
    const failure = directoryWeights(folder).read(['conv1_1']);
    await expect(failure).rejects.toMatchObject({
      code: 'WRONG_SIZE',
      value: 5000,
      accepted: `${total} bytes`,
    });
  });

  it('is refused where a layer has another shape or a number that is none', async () => {
    const files = modelFiles(['conv1_1'], () => 1e6);
    const text = new TextDecoder().decode(files.get('model.json'));
    await write(files);
    await writeFile(join(folder, 'model.json'), text.replace('[3,3,3,64]', '[3,3,64,3]'));
    await expect(directoryWeights(folder).read(['conv1_1'])).rejects.toThrow(
      /conv1_1's kernel from .*: expected \[3,3,3,64\] \(1728 numbers\), found \[3,3,64,3\]\./,
    );
    const bytes = (files.get('shard1.bin') ?? new Uint8Array()).slice();
    new DataView(bytes.buffer).setFloat32(4 * 17, Number.NaN, true);
    await write(files.set('shard1.bin', bytes));
    await expect(directoryWeights(folder).read(['conv1_1'])).rejects.toThrow(
      /conv1_1's kernel .* holds NaN at index 17/,
    );
  });

  it('is refused where a layer is missing, with those that are there', async () => {
    await write(modelFiles(firstThree, () => total));
    await expect(directoryWeights(folder).read(['conv3_1'])).rejects.toMatchObject({
      code: 'MISSING_LAYER',
      option: 'conv3_1',
      accepted: firstThree,
    });
  });

  it('is refused where a shard lies outside of its folder', async () => {
    for (const path of [
      '../shard1.bin',
      '/etc/passwd',
      'a/../../b',
      '..\\b',
      'C:/b',
      'http://x/y',
      'a//b',
      '.',
      'a\0b',
    ]) {
      const json = { weightsManifest: [{ paths: [path], weights: [] }] };
      await writeFile(join(folder, 'model.json'), JSON.stringify(json));
      await expect(directoryWeights(folder).read(['conv1_1'])).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    }
  });
});

describe('a model on a server', () => {
  let server = new FileServer(new Map());
  beforeEach(async () => {
    server = await new FileServer(modelFiles(firstThree, (i) => [7168, 147712, 295424][i])).start();
  });
  afterEach(() => server.stop());

  it('is fetched by its URL or its folder, and of it only the shards of the layers that are read', async () => {
    const byFile = await layersModelWeights(`${server.url}model.json`).read(['conv1_1', 'conv1_2']);
    expect(server.paths).toEqual(['model.json', 'shard1.bin', 'shard2.bin']);
    const byFolder = await layersModelWeights(new URL(server.url)).read(['conv1_1', 'conv1_2']);
    expectMade(byFolder, 'conv1_2');
    expectMade(byFile, 'conv1_2');
  });

  it('is read from its first shard to the last one needed, because only their sizes say where a layer lies', async () => {
    const weights = await layersModelWeights(server.url).read(['conv1_2']);
    expectMade(weights, 'conv1_2');
    expect(server.requests.slice(1).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET shard1.bin',
      'GET shard2.bin',
    ]);
  });

  it('may be cut anywhere', async () => {
    server.files.clear();
    for (const [name, bytes] of modelFiles(firstThree, (i) => 40_000 + 7_001 * i))
      server.files.set(name, bytes);
    const weights = await layersModelWeights(server.url).read(['conv2_1', 'conv1_1']);
    expectMade(weights, 'conv1_1');
    expectMade(weights, 'conv2_1');
  });

  it('keeps the query of its URL for every file', async () => {
    const seen: string[] = [];
    const fetching: typeof fetch = (input, init) => {
      seen.push(new URL(String(input)).search);
      return fetch(input, init);
    };
    await layersModelWeights(`${server.url}model.json?token=a`, { fetch: fetching }).read(['conv1_1']);
    expect(seen).toEqual(['?token=a', '?token=a']);
  });

  it('tells how many bytes of the layers have come, up to all of them', async () => {
    const cases: [ConvLayer[], number][] = [
      [firstThree, total],
      [['conv1_1', 'conv2_1'], 7168 + 295424],
      [['conv1_2'], 147712],
    ];
    for (const [layers, bytes] of cases) {
      const events: [number, number | undefined][] = [];
      await layersModelWeights(server.url).read(layers, {
        onProgress: ({ loadedBytes, totalBytes }) => events.push([loadedBytes, totalBytes]),
      });
      expect(events.at(-1)).toEqual([bytes, bytes]);
      const loaded = events.map(([loadedBytes]) => loadedBytes);
      expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    }
  });

  it('is refused where a file is not the one whose hash was given', async () => {
    const source = layersModelWeights(server.url, { sha256: { 'shard1.bin': '0'.repeat(64) } });
    await expect(source.read(['conv1_1'])).rejects.toMatchObject({
      code: 'WRONG_HASH',
      accepted: '0'.repeat(64),
    });
  });
});

describe('a tf.io.IOHandler', () => {
  const [spec, data] = (() => {
    const files = modelFiles(firstThree, () => total);
    const json = JSON.parse(new TextDecoder().decode(files.get('model.json')));
    return [
      json.weightsManifest[0].weights,
      (files.get('shard1.bin') ?? new Uint8Array()).slice().buffer as ArrayBuffer,
    ];
  })();

  it('gives its weights from one buffer, several, or a stream', async () => {
    const pieces = [data.slice(0, 9_001), data.slice(9_001, 200_000), data.slice(200_000)];
    const stream = () =>
      new ReadableStream<ArrayBuffer>({
        start(controller) {
          for (const piece of pieces) controller.enqueue(piece);
          controller.close();
        },
      });
    for (const artifacts of [{ weightData: data }, { weightData: pieces }, { getWeightStream: stream }]) {
      const source = layersModelWeights({ load: async () => ({ weightSpecs: spec, ...artifacts }) });
      const weights = await source.read(['conv2_1', 'conv1_1']);
      expectMade(weights, 'conv1_1');
      expectMade(weights, 'conv2_1');
    }
  });

  it('has its stream closed where its reader aborts', async () => {
    const controller = new AbortController();
    let reason: unknown;
    const stream = new ReadableStream<ArrayBuffer>({
      start: (stream) => stream.enqueue(data.slice(0, 9_001)),
      pull: () => controller.abort('enough'),
      cancel(why) {
        reason = why;
      },
    });
    const source = layersModelWeights({
      load: async () => ({ weightSpecs: spec, getWeightStream: () => stream }),
    });
    await expect(source.read(['conv2_1'], controller)).rejects.toBe('enough');
    expect(reason).toBe('enough');
  });

  it('is refused where its stream gives more than it describes, of which no more is held', async () => {
    let pulled = 0;
    const endless = new ReadableStream<ArrayBuffer>({
      pull(stream) {
        pulled += 65_536;
        stream.enqueue(new ArrayBuffer(65_536));
      },
    });
    const source = layersModelWeights({
      load: async () => ({ weightSpecs: spec, getWeightStream: () => endless }),
    });
    await expect(source.read(['conv1_1'])).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(pulled).toBeLessThan(total + 5 * 65_536);
  });

  it('is refused where it gives less than it describes', async () => {
    const source = layersModelWeights({
      load: async () => ({ weightSpecs: spec, weightData: data.slice(0, 9000) }),
    });
    await expect(source.read(['conv2_1'])).rejects.toMatchObject({ code: 'TRUNCATED', value: 9000 });
  });
});

describe('what a source waits for', () => {
  it('ends when its reader aborts, though a handler, its stream or a source of another’s does not listen', async () => {
    const never = new Promise<never>(() => {});
    const sources = [
      layersModelWeights({ load: () => never }),
      layersModelWeights({
        load: async () => ({
          weightSpecs: [
            { name: 'block1_conv1/kernel', shape: [3, 3, 3, 64], dtype: 'float32' },
            { name: 'block1_conv1/bias', shape: [64], dtype: 'float32' },
          ],
          getWeightStream: () => new ReadableStream<ArrayBuffer>({ pull: () => never }),
        }),
      }),
      { name: 'deaf', convention: 'caffe', read: () => never } as const,
    ];
    for (const source of sources) {
      const controller = new AbortController();
      const reading = readLayers(source, ['conv1_1'], { signal: controller.signal });
      setTimeout(() => controller.abort('enough'), 20);
      await expect(reading).rejects.toBe('enough');
    }
  });

  it('is checked where the source is another’s', async () => {
    const source = (read: unknown) =>
      ({ name: 'own\u001b', convention: 'caffe', read: async () => read }) as never as WeightSource;
    const nothing = readLayers(source(undefined), ['conv1_1'], {});
    await expect(nothing).rejects.toMatchObject({ code: 'WRONG_WEIGHTS' });
    await expect(nothing).rejects.toThrow(/source own\\u001b gave undefined; accepted: a Map/);
    await expect(readLayers(source(new Map()), ['conv1_1'], {})).rejects.toMatchObject({
      code: 'MISSING_LAYER',
    });
    const short = new Map([['conv1_1', { kernel: new Float32Array(3), bias: new Float32Array(64) }]]);
    await expect(readLayers(source(short), ['conv1_1'], {})).rejects.toMatchObject({ code: 'WRONG_SHAPE' });
  });
});

describe('options of a source', () => {
  it('that are unknown, of a wrong type, or without effect are refused', () => {
    const url = 'https://example.com/';
    for (const options of [
      { retry: 1 },
      { retries: -1 },
      { cache: {} },
      { sha256: { a: 'b' } },
      { fetch: 1 },
    ])
      expect(() => layersModelWeights(url, options as never)).toThrow(/accepted: |It takes: /);
    const handler = { load: async () => ({}) };
    expect(() => layersModelWeights(handler, { retries: 2 })).toThrow(
      /no effect .* accepted: only with a URL/,
    );
  });
});

describe('a location that is none', () => {
  it('is refused with what is accepted', () => {
    for (const location of ['vgg', 'ftp://x/y', '/models/vgg19', 17 as unknown as string])
      expect(() => layersModelWeights(location)).toThrow(/weights is .*; accepted: an http: or https: URL/);
  });
});
