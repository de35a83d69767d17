import { any, optionTable } from '../../options/table';
import type { Pin } from '../../storage/checked-cache';
import { requireUrl } from '../../storage/remote-location';
import { downloadOptions, type RemoteOptions } from '../../storage/remote-options';
import { RemoteStore } from '../../storage/remote-store';
import { sizeOf } from '../../weights/tensor-file';
import { layerShapes } from './check-layers';
import { layersModelWeights } from './file-weights';
import { type ConvLayer, vgg19Convolutions } from './layers';
import type { WeightSource } from './source';

/** Options of {@link vgg19Weights}. */
export interface Vgg19WeightsOptions extends Omit<RemoteOptions, 'sha256'> {
  /** URLs of folders with the same files, tried in this order. @default {@link vgg19Mirrors} */
  readonly mirrors?: readonly (string | URL)[] | undefined;
}

/**
 * The default source: the VGG-19 of Simonyan & Zisserman (2015; CC BY 4.0) as converted from Keras in the repository
 * DavidCai1993/vgg19-tensorflowjs-model (MIT), at one commit. Files down to conv3_4 must have the SHA-256 stated here,
 * deeper ones the stated size. Five convolutions, to conv3_1, are 2.2 MB; down to conv5_1 it is 51.8 MB; all 16 are
 * 80.1 MB.
 *
 * @example
 * ```ts
 * const extractor = await loadVgg19({ weights: vgg19Weights({ mirrors: ['https://models.example.com/vgg19/'] }) });
 * ```
 */
export function vgg19Weights(options: Vgg19WeightsOptions = {}): WeightSource {
  const { mirrors, ...settings } = vgg19WeightsOptions.read(options);
  const folders = mirrors.map((mirror) => requireUrl(mirror).href.replace(/\/?(model\.json)?$/, '/'));
  const location = {
    name: vgg19Name,
    folders,
    entry: 'model.json',
    pins: vgg19Pins,
    cacheFolder: vgg19CacheFolder,
  };
  const store = new RemoteStore(location, settings);
  return {
    ...layersModelWeights(store, { convention: 'caffe', name: vgg19Name }),
    layers: vgg19Convolutions.map((step) => step.name),
  };
}

/** Name of the default source in reports. */
export const vgg19Name = 'VGG-19';

/** The commit of the default source's repository. */
const commit = '08d09052bc6258d3abdfa341850122fc4b746db6';

/** Folder of the default source in a cache. */
export const vgg19CacheFolder = `vgg19-${commit.slice(0, 8)}`;

/**
 * URLs of the default source's files: under the owner's name at the time of the commit, under the present name, and in
 * a copy of the repository. A commit's name is a hash of its contents, and the files are also checked.
 */
export const vgg19Mirrors: readonly string[] = ['DavidCai1993', 'DavidCai1111', 'jppgks'].map(
  (owner) => `https://raw.githubusercontent.com/${owner}/vgg19-tensorflowjs-model/${commit}/model/`,
);

const vgg19WeightsOptions = optionTable<Vgg19WeightsOptions>()('vgg19Weights', {
  mirrors: any<readonly (string | URL)[], { default: readonly (string | URL)[] }>(
    'a list of URLs of folders',
    (value) => Array.isArray(value) && value.length > 0,
    { default: vgg19Mirrors },
  ),
  ...downloadOptions,
});

/** SHA-256 of model.json and of the shard of each layer down to conv3_4. */
const hashes = {
  model: '0a55a4ea97c30cdcee63cc614e9f2d41f43ea4f0a9554bb151e742cbfd59c256',
  layers: [
    'c68eefa00d6af917fc28b127b756e48597c25cc11144b38fdf8ea65753c197e1',
    'a0e2bb4fbef5e0ce3d8e2fbc6f903c713c9893a0aa2e26c687b0b5758c6af079',
    '71a6dbaa06d7e454db3e56d6d2eb5f2defd8b60cccd5af5fc8a6b773be1c5aa5',
    'ab1d44f13a37e4af119cc56c7e9a4f8ab4ba281019cb057737d5e2f47dae2268',
    'df21209f6d1a0bfd90a17eb705fbb9b520ece764914a067b0d94cefe99a43318',
    '3b44315d503e5f24957aef369df5e89a1d54fdcbd78e93c93df560d1ff0ba11d',
    'f94ad0c1d2fcb380fe57649a0764a25e7602a436efb8767ce65faf28964f10d0',
    'f0dc43a70868cb7edce398eac3422b45fb93333c2e6c274f89adc969c37791ee',
  ],
};

/** The converter cut each layer into shards of this size. */
const shardBytes = 2 ** 22;

/** The files of the default source and what is known of each. */
export const vgg19Pins: ReadonlyMap<string, Pin> = new Map<string, Pin>([
  ['model.json', { sha256: hashes.model, size: 20659 }],
  ...vgg19Convolutions.flatMap(({ name }, i) => shardPins(name, i)),
]);

function shardPins(layer: ConvLayer, index: number): [string, Pin][] {
  const { kernel, bias } = layerShapes(layer);
  const bytes = 4 * (sizeOf(kernel) + bias[0]);
  const shards = Math.ceil(bytes / shardBytes);
  return Array.from({ length: shards }, (_, shard) => [
    `group${index + 1}-shard${shard + 1}of${shards}`,
    { sha256: hashes.layers[index], size: Math.min(shardBytes, bytes - shard * shardBytes) },
  ]);
}
