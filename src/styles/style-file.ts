import type { LayerName } from '../features/layer-name';
import type { Padding } from '../features/padding';
import type { Pooling } from '../features/vgg19/network';
import type { GramNormalization } from '../losses/gram-matrix';
import type { NamedTensors } from '../weights/tensor-file';

/** A statistic of features that styles are compared by. Tensors of a style file are named `gram.conv1_1`. */
export type StyleStatistic = 'gram';

/** What a style file is valid for, and what it was made from. */
export interface StyleFacts {
  /** Version of the format. */
  readonly formatVersion: 1;
  /** Name of the network: `'vgg19'`. */
  readonly network: string;
  /** Weights of the network by name, without their location; undefined if the extractor did not state them. */
  readonly weights: string | undefined;
  /**
   * SHA-256 of the weights that the layers up to each of {@link layers} are computed with, as `weightsHash` gives them;
   * undefined if the extractor did not know them.
   */
  readonly weightsHashes: Readonly<Partial<Record<LayerName, string>>> | undefined;
  /** The layers, in the order of computation. */
  readonly layers: readonly LayerName[];
  /** How the Gram matrices are scaled. */
  readonly normalization: GramNormalization;
  /** Pooling of the network; undefined if it has none. */
  readonly pooling: Pooling | undefined;
  /** What the network's first convolution reads beyond the border; undefined is `'zero'`. */
  readonly padding?: Padding | undefined;
  /** Number of images. */
  readonly images: number;
  /**
   * Longer sides of the smallest and of the largest image, in pixels, after resizing: strokes have the scale that they
   * have in images of this size.
   */
  readonly longerSide: readonly [smallest: number, largest: number];
}

/**
 * The style of one or many images as data: the targets of a style loss, without the images. Plain numbers, in no need
 * of disposal. `loadStyle` and `makeStyle` give it; it may stand wherever a style image may.
 */
export interface StyleFile extends StyleFacts {
  readonly kind: 'style';
  /** Name for messages: the file's path or URL, or what the style was made from. */
  readonly name: string;
  /** The statistics by name: `gram.conv1_1` is [channels, channels]. */
  readonly tensors: NamedTensors;
}

/** Whether a value is a {@link StyleFile}, also of another copy of this library. */
export function isStyleFile(value: unknown): value is StyleFile {
  const { kind, tensors } = (value ?? {}) as Partial<StyleFile>;
  return kind === 'style' && typeof tensors?.get === 'function';
}

/** Name of a layer's tensor. */
export const tensorName = (statistic: StyleStatistic, layer: LayerName): string => `${statistic}.${layer}`;

/** A layer's Gram matrix, [channels][channels]. @param layer one of the file's */
export function gramOf(file: StyleFile, layer: LayerName): Float32Array {
  return file.tensors.get(tensorName('gram', layer))?.values ?? new Float32Array(0);
}
