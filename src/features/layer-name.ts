import type { Vgg19Layer } from './vgg19/layers';

/**
 * A layer that a loss may read: one of VGG-19, `'image'` for the image itself, or a layer of another network,
 * written `network:layer` so that a misspelt VGG-19 layer stays a type error.
 */
export type LayerName = Vgg19Layer | 'image' | `${string}:${string}`;
