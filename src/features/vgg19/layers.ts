import { requireName } from '../../options/validate';

/** One step of the network: a 3x3 convolution (stride 1, zero padding 1), its ReLU, or a 2x2 pooling. */
export type NetworkStep =
  | {
      readonly kind: 'conv';
      readonly name: ConvLayer;
      readonly channelsIn: number;
      readonly channelsOut: number;
    }
  | { readonly kind: 'relu'; readonly name: ReluLayer }
  | { readonly kind: 'pool'; readonly name: PoolLayer };

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
 * A layer that a loss may ask for: one of VGG-19, `'image'` for the image itself, or a layer of another network,
 * written `network:layer` so that a misspelt VGG-19 layer stays a type error.
 */
export type LayerName = Vgg19Layer | 'image' | `${string}:${string}`;

/** Convolutions and output channels of each of VGG-19's blocks; every block ends in a pooling. Simonyan & Zisserman 2015, table 1, E. */
const blocks = [
  { convolutions: 2, channels: 64 },
  { convolutions: 2, channels: 128 },
  { convolutions: 4, channels: 256 },
  { convolutions: 4, channels: 512 },
  { convolutions: 4, channels: 512 },
] as const;

/** VGG-19's convolutional part, in the order of computation. */
export const vgg19Steps: readonly NetworkStep[] = blocks.flatMap(({ convolutions, channels }, b) => [
  ...Array.from({ length: convolutions }, (_, i): NetworkStep[] => {
    const id = `${b + 1}_${i + 1}` as BlockAndIndex;
    const channelsIn = i > 0 ? channels : b > 0 ? blocks[b - 1].channels : 3;
    return [
      { kind: 'conv', name: `conv${id}`, channelsIn, channelsOut: channels },
      { kind: 'relu', name: `relu${id}` },
    ];
  }).flat(),
  { kind: 'pool', name: `pool${b + 1}` as PoolLayer },
]);

/** Every layer of VGG-19's convolutional part, in the order of computation. */
export const vgg19Layers: readonly Vgg19Layer[] = vgg19Steps.map((step) => step.name);

/** VGG-19's 16 convolutions, in the order of computation. */
export const vgg19Convolutions = vgg19Steps.filter((step) => step.kind === 'conv');

/** The steps up to and including `last`. */
export function stepsUpTo(last: Vgg19Layer): readonly NetworkStep[] {
  requireName('layer', last, vgg19Layers);
  return vgg19Steps.slice(0, vgg19Layers.indexOf(last) + 1);
}

/** The convolutions up to and including `last`: what has to be read for it. */
export function convolutionsUpTo(last: Vgg19Layer): readonly ConvLayer[] {
  return stepsUpTo(last)
    .filter((step) => step.kind === 'conv')
    .map((step) => step.name);
}

/** The last of `layers` in the order of computation, or undefined when none is a layer of VGG-19 (`'image'` alone). */
export function deepestLayer(layers: readonly LayerName[]): Vgg19Layer | undefined {
  return vgg19Layers.findLast((layer) => layers.includes(layer));
}
