import { describe, expect, it } from 'vitest';
import { layersModelWeights, safetensorsWeights } from '../../../src/features';
import type { ConvLayer } from '../../../src/features/vgg19/layers';
import type { ByteStore } from '../../../src/storage';
import { concatenate, lengthAndHeader, modelFiles, safetensorsFile } from '../../support/small-model';

/** Files in memory. */
function storeOf(files: ReadonlyMap<string, Uint8Array>): ByteStore {
  const bytes = (file: string) => new Uint8Array(files.get(file) ?? new Uint8Array());
  return {
    name: 'memory',
    size: async (file) => bytes(file).length,
    read: async (file) => bytes(file),
    readRanges: async (file, ranges) =>
      ranges.map(({ offset, length }) => bytes(file).slice(offset, offset + length)),
  };
}

/** A safetensors file whose data are missing: only its header is read before the network is known. */
const torchFile = (tensors: Readonly<Record<string, readonly number[]>>) => {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, shape]) => {
    const start = end;
    end += 2 * shape.reduce((product, extent) => product * extent, 1);
    return [name, { dtype: 'F16', shape, data_offsets: [start, end] }];
  });
  const header = lengthAndHeader(JSON.stringify(Object.fromEntries(entries)));
  return safetensorsWeights(
    storeOf(new Map([['model.safetensors', concatenate([...header, new Uint8Array(end)])]])),
  );
};
const kernels = (indices: readonly number[]) =>
  Object.fromEntries(indices.map((index) => [`features.${index}.weight`, [1, 1, 1, 1]]));

const kerasModel = (layers: readonly string[], network?: string) => {
  const weights = layers.map((layer) => ({ name: `${layer}/kernel`, shape: [1], dtype: 'float32' }));
  const model = {
    modelTopology: { model_config: { config: { name: network } } },
    weightsManifest: [{ paths: ['a.bin'], weights }],
  };
  return layersModelWeights(
    storeOf(new Map([['model.json', new TextEncoder().encode(JSON.stringify(model))]])),
  );
};
const kerasBlocks = (blocks: readonly number[]) =>
  blocks.flatMap((count, b) => Array.from({ length: count }, (_, i) => `block${b + 1}_conv${i + 1}`));

describe('weights of another network', () => {
  const wrongNetwork = (network: string) => ({
    name: 'WeightsError',
    code: 'WRONG_NETWORK',
    message: expect.stringContaining(`these are ${network}'s weights; accepted: weights of VGG-19`),
  });

  it.each([
    ['VGG-11', [0, 3, 6, 8, 11, 13, 16, 18]],
    ['VGG-13', [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]],
    ['VGG-16', [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]],
    ['VGG-19 with batch normalisation', [0, 3, 7, 10, 14, 17, 20, 23, 27, 30, 33, 36, 40, 43, 46, 49]],
    ['another network', [0, 1, 2]],
  ])(
    'by torchvision’s names are refused as %s, though only shallow layers are read',
    async (name, indices) => {
      await expect(torchFile(kernels(indices)).read(['conv1_1'])).rejects.toMatchObject(wrongNetwork(name));
    },
  );

  it('by Keras’ names are refused as VGG-16', async () => {
    const vgg16 = kerasModel(kerasBlocks([2, 2, 3, 3, 3]));
    await expect(vgg16.read(['conv1_1'])).rejects.toMatchObject(wrongNetwork('VGG-16'));
    const cut = kerasModel(kerasBlocks([2, 2, 3]), 'vgg16');
    await expect(cut.read(['conv1_1'])).rejects.toMatchObject(wrongNetwork('VGG-16'));
  });

  it('are not suspected where VGG-19’s are cut off, or only some layers are there', async () => {
    for (const layers of [['conv1_1', 'conv1_2'], ['conv1_1']] as ConvLayer[][]) {
      const torch = safetensorsWeights(storeOf(new Map([['model.safetensors', safetensorsFile(layers)]])));
      expect((await torch.read(['conv1_1'])).size).toBe(1);
      const keras = layersModelWeights(storeOf(modelFiles(layers, () => 1e6)));
      expect((await keras.read(['conv1_1'])).size).toBe(1);
    }
    for (const blocks of [
      [2, 2, 3],
      [2, 2, 4, 4, 4],
      [1, 1, 1, 1, 1],
      [2, 2, 4, 3],
    ])
      await expect(kerasModel(kerasBlocks(blocks), 'vgg19').read(['conv1_1'])).rejects.toMatchObject({
        code: 'WRONG_SHAPE',
      });
  });
});

describe('a safetensors file', () => {
  it('may say in its metadata that its weights are Caffe’s', async () => {
    const bytes = safetensorsFile(['conv1_1']);
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + 200));
    expect(text).toContain('"format":"pt"');
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    const caffe = header.replace('"format":"pt"', '"weightConvention":"caffe"');
    const file = concatenate([...lengthAndHeader(caffe), bytes.subarray(8 + length)]);
    const source = safetensorsWeights(storeOf(new Map([['model.safetensors', file]])));
    await source.read(['conv1_1']);
    expect(source.convention).toBe('caffe');
  });
});
