import { requireName } from '../../options/validate';

/** A convolution of VGG-19, before its ReLU. */
export type ConvLayer = `conv${BlockAndIndex}`;
/** A convolution of VGG-19, after its ReLU. */
export type ReluLayer = `relu${BlockAndIndex}`;
/** A pooling of VGG-19. */
export type PoolLayer = 'pool1' | 'pool2' | 'pool3' | 'pool4' | 'pool5';
type BlockAndIndex = `${1 | 2}_${1 | 2}` | `${3 | 4 | 5}_${1 | 2 | 3 | 4}`;

/** A layer of VGG-19 by the names of the literature. */
export type Vgg19Layer = ConvLayer | ReluLayer | PoolLayer;

/**
 * Convolutions and output channels of each of VGG-19's blocks; every block ends in a pooling. Simonyan & Zisserman
 * 2015, table 1, E.
 */
const blocks = [
  { convolutions: 2, channels: 64 },
  { convolutions: 2, channels: 128 },
  { convolutions: 4, channels: 256 },
  { convolutions: 4, channels: 512 },
  { convolutions: 4, channels: 512 },
] as const;

/** One of VGG-19's convolutions. */
export interface Vgg19Convolution {
  readonly name: ConvLayer;
  readonly channelsIn: number;
  readonly channelsOut: number;
}

/** VGG-19's 16 convolutions, in the order of computation. */
export const vgg19Convolutions: readonly Vgg19Convolution[] = blocks.flatMap(
  ({ convolutions, channels }, b) =>
    Array.from({ length: convolutions }, (_, i) => ({
      name: `conv${b + 1}_${i + 1}` as ConvLayer,
      channelsIn: i > 0 ? channels : b > 0 ? blocks[b - 1].channels : 3,
      channelsOut: channels,
    })),
);

/** Every layer of VGG-19's convolutional part, in the order of computation. */
export const vgg19Layers: readonly Vgg19Layer[] = blocks.flatMap(({ convolutions }, b) => [
  ...Array.from({ length: convolutions }, (_, i): Vgg19Layer[] => {
    const id = `${b + 1}_${i + 1}` as BlockAndIndex;
    return [`conv${id}`, `relu${id}`];
  }).flat(),
  `pool${b + 1}` as PoolLayer,
]);

/** The layers up to and including `last`. @throws InvalidArgumentError if VGG-19 has no such layer */
export function layersUpTo(last: Vgg19Layer): readonly Vgg19Layer[] {
  requireName('layer', last, vgg19Layers);
  return vgg19Layers.slice(0, vgg19Layers.indexOf(last) + 1);
}

/** The convolutions up to and including `last`: those whose weights it needs. */
export function convolutionsUpTo(last: Vgg19Layer): readonly ConvLayer[] {
  const layers = layersUpTo(last);
  return vgg19Convolutions.map(({ name }) => name).filter((name) => layers.includes(name));
}

/** The last of `layers` in the order of computation, or undefined when none is a layer of VGG-19 (`'image'` alone). */
export function deepestLayer(layers: readonly string[]): Vgg19Layer | undefined {
  return vgg19Layers.findLast((layer) => layers.includes(layer));
}
