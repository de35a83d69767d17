import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createGenerator,
  encodeGenerator,
  type Generator,
  johnson,
  loadGenerator,
} from '../../src/generators';
import * as node from '../../src/node';
import { safetensorsBytes } from '../../src/weights/safetensors-writer';
import { FileServer } from '../support/file-server';

const { network, initialWeights } = johnson({ width: 2, blocks: 1 });
const generator = createGenerator({
  network,
  weights: initialWeights(1),
  name: 'mosaic',
  styles: ['mosaic'],
  training: { steps: 400, style: 'mosaic.jpg' },
  license: 'CC0-1.0',
});

describe('generator files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'generators-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('give back what was written, from bytes, a Blob, a path and a server', async () => {
    const bytes = encodeGenerator(generator);
    const path = join(folder, 'mosaic.safetensors');
    await node.saveGenerator(path, generator);
    expect(new Uint8Array(await readFile(path))).toEqual(bytes);
    const server = await new FileServer(new Map([['mosaic.safetensors', bytes]])).start();
    try {
      const all = [
        await loadGenerator(bytes),
        await loadGenerator(new Blob([bytes])),
        await node.loadGenerator(path),
        await node.loadGenerator(`${server.url}mosaic.safetensors`),
      ];
      for (const found of all) expectSame(found, generator);
    } finally {
      await server.stop();
    }
  });

  it('hold kernels in 8 bits, in about a quarter of the bytes, within half a step of each channel', async () => {
    const wide = johnson({ width: 8 });
    const large = createGenerator({ network: wide.network, weights: wide.initialWeights(1) });
    const bytes = encodeGenerator(large, { quantize: true });
    expect(bytes.length).toBeLessThan(150_000);
    const found = await loadGenerator(bytes);
    expect([...found.weights.keys()].sort()).toEqual([...large.weights.keys()].sort());
    for (const [name, { values, shape }] of large.weights) {
      const read = found.weights.get(name)?.values ?? new Float32Array(0);
      const step = name.endsWith('kernel') ? Math.max(...values.map(Math.abs)) / 127 : 0;
      expect(found.weights.get(name)?.shape).toEqual(shape);
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(read[i] - value)), 0);
      expect(worst).toBeLessThanOrEqual(0.501 * step);
    }
    // What has been rounded once stays as it is.
    expect(
      (await loadGenerator(encodeGenerator(found, { quantize: true }))).weights.get('enter/kernel')?.values,
    ).toEqual(found.weights.get('enter/kernel')?.values);
  });

  it.each<[what: string, metadata: Record<string, string>, message: string]>([
    ['no generator', { format: 'pt' }, "its format is 'pt'; accepted: 'tfjs-style-transfer generator'"],
    ['another version', { formatVersion: '2' }, "its formatVersion is '2'; accepted: '1'"],
    ['a network that is no JSON', { network: '{' }, 'its network is not JSON'],
    ['no steps', { network: JSON.stringify({ ...network, steps: 3 }) }, 'its steps are 3; accepted: a list'],
    [
      'an unknown operation',
      { network: JSON.stringify({ ...network, steps: [{ op: 'fft', name: 'a' }] }) },
      "step a is 'fft'; accepted: conv, transposedConv",
    ],
    [
      'a field out of range',
      { network: JSON.stringify({ ...network, steps: [{ ...network.steps[0], size: 1e9 }] }) },
      'size of step enter/conv is 1000000000; accepted: a whole number from 1 to 63',
    ],
    ['styles that are no names', { styles: '[1]' }, 'its styles are [1]; accepted: a list of names'],
  ])('are refused where they hold %s', async (_what, metadata, message) => {
    const given = {
      format: 'tfjs-style-transfer generator',
      formatVersion: '1',
      network: JSON.stringify(network),
    };
    const bytes = safetensorsBytes(generator.weights, { ...given, ...metadata });
    await expect(loadGenerator(bytes)).rejects.toMatchObject({
      code: 'MALFORMED_GENERATOR',
      message: expect.stringContaining(message),
    });
  });

  it('are refused where tensors are missing or have another shape', async () => {
    const bytes = encodeGenerator({ ...generator, weights: new Map([...generator.weights].slice(1)) });
    await expect(loadGenerator(bytes)).rejects.toThrow('Weights enter/kernel of johnson: found nothing');
    const shape = [1, 1, 3, 54];
    const kernel = { shape, values: new Float32Array(162) };
    const other = encodeGenerator({
      ...generator,
      weights: new Map([...generator.weights, ['enter/kernel', kernel]]),
    });
    await expect(loadGenerator(other)).rejects.toMatchObject({ code: 'WRONG_WEIGHTS' });
  });

  it('are refused where they are cut short, are no files, or do not exist', async () => {
    const bytes = encodeGenerator(generator).slice(0, -1);
    await expect(loadGenerator(bytes)).rejects.toMatchObject({ code: 'MALFORMED_GENERATOR' });
    const path = join(folder, 'none.safetensors');
    await expect(node.loadGenerator(path)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      option: 'generator',
    });
    await writeFile(path, 'text');
    await expect(node.loadGenerator(path)).rejects.toMatchObject({ code: 'MALFORMED_GENERATOR' });
    await expect(loadGenerator('mosaic.safetensors')).rejects.toThrow(
      /paths through tfjs-style-transfer\/node/,
    );
    await expect(loadGenerator(3 as never)).rejects.toThrow('generator is 3; accepted: a URL, or the bytes');
    await expect(loadGenerator(encodeGenerator(generator), { retries: 2 })).rejects.toMatchObject({
      code: 'CONFLICTING_OPTIONS',
    });
  });

  it('are refused as destinations before anything is written', async () => {
    await expect(node.saveGenerator(join(folder, 'mosaic.bin'), generator)).rejects.toThrow('.safetensors');
    await expect(
      node.saveGenerator(join(folder, 'no', 'mosaic.safetensors'), generator),
    ).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
    });
    await expect(node.saveGenerator(join(folder, 'a.safetensors'), {} as never)).rejects.toThrow(
      'generator is an object; accepted: what loadGenerator(), trainGenerator() or createGenerator() gives',
    );
  });
});

function expectSame(found: Generator, expected: Generator): void {
  const { weights, ...facts } = found;
  const { weights: expectedWeights, ...expectedFacts } = expected;
  expect(facts).toEqual(JSON.parse(JSON.stringify(expectedFacts)));
  expect([...weights]).toEqual([...expectedWeights]);
}
