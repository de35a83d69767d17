import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WeightsError } from '../../src/errors';
import { layersModelWeights, safetensorsWeights, vgg19Mirrors, vgg19Weights } from '../../src/features';
import type { ConvLayer } from '../../src/features/vgg19/layers';
import { directoryWeights } from '../../src/node/directory-weights';
import { nodeWeights } from '../../src/node/node-weights';
import { memoryCache, type WeightCache } from '../../src/storage';
import { FileServer } from '../support/file-server';
import { hasShared, shared } from '../support/shared';
import { expectMade, madeLayer, modelFiles } from '../support/small-model';

let folder = '';
let server = new FileServer(new Map());
let cache: WeightCache = memoryCache();
const files = modelFiles(['conv1_1'], () => 1e6);

beforeEach(async () => {
  for (const name of ['WEIGHTS', 'MIRRORS', 'CACHE']) vi.stubEnv(`TFJS_STYLE_TRANSFER_${name}`, '');
  folder = await mkdtemp(join(tmpdir(), 'weights-'));
  vi.stubEnv('TFJS_STYLE_TRANSFER_CACHE', join(folder, 'cache'));
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  server = await new FileServer(new Map(files)).start();
  cache = memoryCache();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(folder, { recursive: true });
});

describe('weights in Node', () => {
  it('are what is asked for: a folder, a file, a file: URL, a URL, a map, a source', async () => {
    const locations = [
      folder,
      join(folder, 'model.json'),
      pathToFileURL(folder),
      pathToFileURL(folder).href,
      server.url,
    ];
    for (const location of locations)
      expectMade(await (await nodeWeights(location)).read(['conv1_1']), 'conv1_1');
    const map = await nodeWeights({ conv1_1: madeLayer('conv1_1') });
    expectMade(await map.read(['conv1_1']), 'conv1_1');
    expect(await nodeWeights(map)).toBe(map);
  });

  it('from a URL are kept in the cache on disk', async () => {
    await (await nodeWeights(server.url)).read(['conv1_1']);
    server.requests.length = 0;
    expectMade(await (await nodeWeights(server.url)).read(['conv1_1']), 'conv1_1');
    expect(server.requests).toEqual([]);
  });

  it('are fetched where the cache cannot be written, which is said', async () => {
    vi.stubEnv('TFJS_STYLE_TRANSFER_CACHE', join(folder, 'model.json', 'below-a-file'));
    const warnings: string[] = [];
    const source = await nodeWeights(server.url);
    expectMade(await source.read(['conv1_1'], { onWarning: ({ code }) => warnings.push(code) }), 'conv1_1');
    expect(new Set(warnings)).toEqual(new Set(['CACHE_WRITE_FAILED']));
  });

  it('that are not named are what the environment names', async () => {
    vi.stubEnv('TFJS_STYLE_TRANSFER_WEIGHTS', folder);
    expectMade(await (await nodeWeights()).read(['conv1_1']), 'conv1_1');
    expect((await nodeWeights('embedded')).embedded).toBe(true);
  });

  it('that are not named are the embedded network where nothing else is there; nothing is fetched', async () => {
    const fetching = vi.spyOn(globalThis, 'fetch');
    const source = await nodeWeights();
    expect(source.name).toBe('the embedded network (not VGG-19)');
    const weights = await source.read(source.layers ?? []);
    expect([...weights.keys()]).toEqual(['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1']);
    expect(fetching).not.toHaveBeenCalled();
    fetching.mockRestore();
  });

  it('that are not named and deeper than the embedded network are refused, with the way out', async () => {
    await expect(nodeWeights(undefined, { layers: ['conv1_1', 'conv4_2'] })).rejects.toThrow(
      /conv4_2 is not in the small network of this package .* weights: 'vgg19' fetches/,
    );
  });

  it('that are nothing of the kind are refused', async () => {
    for (const weights of [17 as never, ''])
      await expect(nodeWeights(weights)).rejects.toMatchObject({
        code: 'UNKNOWN_WEIGHTS',
        option: 'weights',
      });
    await expect(nodeWeights({ conv9_9: madeLayer('conv1_1') } as never)).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
    });
    await expect((await nodeWeights(join(folder, 'none'))).read(['conv1_1'])).rejects.toThrow(
      /There is no .*none/,
    );
  });
});

describe('files that cannot be weights', () => {
  it.each(['pth', 'pt', 'ckpt', 'npz', 'h5', 'hdf5', 'keras', 'onnx', 'pb', 'bin'])(
    'are refused with what is accepted and how to convert: .%s',
    async (extension) => {
      const path = join(folder, `v19.${extension}`);
      await writeFile(path, 'PK');
      for (const location of [path, pathToFileURL(path), `${server.url}v19.${extension.toUpperCase()}?a=b`]) {
        const failure = nodeWeights(location);
        await expect(failure).rejects.toMatchObject({
          name: 'InvalidArgumentError',
          code: 'UNSUPPORTED_WEIGHTS',
          option: 'weights',
        });
        await expect(failure).rejects.toThrow(/accepted: a folder with model\.json .* \.safetensors/);
        await expect(failure).rejects.toThrow(/To convert: (python|tensorflowjs_converter|save|name)/);
      }
      expect(() => layersModelWeights(`${server.url}v19.${extension}`)).toThrow(/accepted: a folder/);
      expect(() => safetensorsWeights(`${server.url}v19.${extension}`)).toThrow(/accepted: a folder/);
      expect(() => directoryWeights(path)).toThrow(/accepted: a folder/);
    },
  );

  it('of an unknown kind are refused when they are read', async () => {
    await writeFile(join(folder, 'weights.txt'), 'a');
    const source = await nodeWeights(join(folder, 'weights.txt'));
    await expect(source.read(['conv1_1'])).rejects.toMatchObject({ code: 'UNSUPPORTED_WEIGHTS' });
  });

  it.skipIf(process.platform === 'win32')('are not waited for: pipes and devices are refused', async () => {
    await rm(join(folder, 'model.json'));
    await promisify(execFile)('mkfifo', [join(folder, 'model.json')]);
    await expect((await nodeWeights(folder)).read(['conv1_1'])).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    await symlink('/dev/zero', join(folder, 'endless.safetensors'));
    const endless = await nodeWeights(join(folder, 'endless.safetensors'));
    await expect(endless.read(['conv1_1'])).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    await mkdir(join(folder, 'a.safetensors'));
    const directory = await nodeWeights(join(folder, 'a.safetensors'));
    await expect(directory.read(['conv1_1'])).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  it.skipIf(process.platform === 'win32')('larger than a model.json can be are refused unread', async () => {
    await truncate(join(folder, 'model.json'), 2 ** 34);
    await expect((await nodeWeights(folder)).read(['conv1_1'])).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('messages about weights', () => {
  /** The message of the error that reading ends in, and all that it is made of. */
  const failureOf = async (reading: () => Promise<unknown>): Promise<string> => {
    try {
      await reading();
    } catch (error) {
      const { message, option, value, accepted } = error as WeightsError;
      return JSON.stringify([message, option, value, accepted]);
    }
    return expect.fail('it was read');
  };

  it('never have the query or the password of a URL', async () => {
    const url = `${server.url}none/model.json?token=s3cret`;
    for (const location of [url, url.replace('model.json', 'a.safetensors')]) {
      const failure = await failureOf(async () =>
        (await nodeWeights(location, { cache: false })).read(['conv1_1']),
      );
      expect(failure).toContain('404');
      expect(failure).not.toContain('s3cret');
    }
    server.interfere = (_, response) => !!response.destroy();
    const broken = layersModelWeights(url, { retries: 0, cache: false });
    expect(await failureOf(() => broken.read(['conv1_1']))).not.toContain('s3cret');
    for (const location of [
      url.replace('//', '//me:s3cret@'),
      'ftp://me:s3cret@host/a',
      'http://me:s3cret@[/',
    ])
      expect(await failureOf(() => nodeWeights(location))).not.toContain('s3cret@host');
    await expect(nodeWeights(url.replace('//', '//me:s3cret@'))).rejects.toThrow(
      /accepted: a URL without user name and password/,
    );
  });

  it('never have control characters of servers, files and paths', async () => {
    const red = '\u001b[31m';
    server.interfere = (_, response) => {
      response.statusMessage = 'Go \x9b31m away';
      return !!response.writeHead(404).end();
    };
    const messages = [await failureOf(async () => (await nodeWeights(server.url)).read(['conv1_1']))];
    const json = (weights: unknown, paths = ['a.bin']) =>
      JSON.stringify({ weightsManifest: [{ paths, weights }] });
    for (const text of [
      `${red}{`,
      json([{ name: `${red}a`, shape: [-1] }]),
      json([{ name: `${red}a`, shape: [1], dtype: `${red}b` }]),
      json([{ name: `${red}a`, shape: [1], dtype: 'float32', quantization: { dtype: 'uint8', scale: red } }]),
      json([], [`../${red}`]),
      json(
        [
          { name: 'block1_conv1/kernel', shape: [3, 3, 3, 64], dtype: 'float32' },
          { name: 'block1_conv1/bias', shape: [64], dtype: 'float32' },
        ],
        [`${red}.bin`],
      ),
    ]) {
      await writeFile(join(folder, 'model.json'), text);
      messages.push(await failureOf(async () => (await nodeWeights(folder)).read(['conv1_1'])));
    }
    const odd = join(folder, `odd${red}`);
    messages.push(await failureOf(async () => (await nodeWeights(odd)).read(['conv1_1'])));
    expect((await nodeWeights(odd)).name).not.toContain('\u001b');
    for (const message of messages) expect(JSON.parse(message)[0]).not.toMatch(/\p{Cc}/u);
  });
});

describe.skipIf(!hasShared('vgg19'))('the default source', () => {
  const layers: ConvLayer[] = ['conv1_1', 'conv1_2', 'conv2_1'];
  beforeEach(async () => {
    server.files.clear();
    for (const name of ['model.json', 'group1-shard1of1', 'group2-shard1of1', 'group3-shard1of1'])
      server.files.set(name, await readFile(shared(`vgg19/${name}`)));
    vi.stubEnv('TFJS_STYLE_TRANSFER_MIRRORS', server.url);
  });

  it('is fetched from the mirrors that the environment names, and from then on is what is there', async () => {
    await (await nodeWeights('vgg19', { cache })).read(layers);
    expect(server.paths).toEqual(['model.json', 'group1-shard1of1', 'group2-shard1of1', 'group3-shard1of1']);
    server.requests.length = 0;
    const source = await nodeWeights(undefined, { cache, layers });
    expect(source.name).toBe('VGG-19');
    expect((await source.read(['conv1_2'])).get('conv1_2')?.bias).toHaveLength(64);
    expect((await nodeWeights(undefined, { cache })).embedded).toBe(true);
    expect(server.requests).toEqual([]);
  });

  it('goes on with the next mirror where one is gone or holds another file', async () => {
    const wrong = await new FileServer(new Map(server.files)).start();
    wrong.files.set('group2-shard1of1', new Uint8Array(147712));
    wrong.files.delete('group3-shard1of1');
    const source = vgg19Weights({ mirrors: [wrong.url, `${server.url}model.json`], retryDelayMs: 1, cache });
    await source.read(layers);
    expect(server.paths).toEqual(['group2-shard1of1', 'group3-shard1of1']);
    await wrong.stop();
  });

  it('is refused, and nothing kept of it, where every mirror holds another file', async () => {
    server.files.set('group1-shard1of1', new Uint8Array(7168));
    const source = vgg19Weights({ mirrors: [server.url, server.url], retryDelayMs: 1, cache });
    await expect(source.read(layers)).rejects.toMatchObject({ code: 'WRONG_HASH' });
    expect((await cache.list()).map(({ key }) => key)).toEqual(['vgg19-08d09052/model.json']);
  });

  it('is refused where a deeper file, whose hash is not known, has another size', async () => {
    const cut = vgg19Weights({ mirrors: [server.url], retryDelayMs: 1, cache });
    for (const name of ['group9-shard1of2', 'group9-shard2of2'])
      server.files.set(name, new Uint8Array(4194304));
    await expect(cut.read(['conv4_1'])).rejects.toMatchObject({
      code: 'WRONG_SIZE',
      accepted: '526336 bytes',
    });
    expect((await cache.list()).filter(({ key }) => key.includes('group9'))).toEqual([]);
  });

  it('is repaired where its cached file is damaged', async () => {
    await (await nodeWeights('vgg19')).read(layers);
    await writeFile(join(folder, 'cache', 'vgg19-08d09052', 'group2-shard1of1'), 'damaged');
    server.requests.length = 0;
    await (await nodeWeights('vgg19')).read(layers);
    expect(server.paths).toEqual(['group2-shard1of1']);
  });

  it('is pinned to a commit', () => {
    for (const mirror of vgg19Mirrors)
      expect(mirror).toContain('/08d09052bc6258d3abdfa341850122fc4b746db6/model/');
  });
});
