import { any, oneOf, optionTable } from '../../options/table';
import { requireName } from '../../options/validate';
import { checkedLayers } from './check-layers';
import { type ConvLayer, vgg19Convolutions } from './layers';
import { type LayerWeights, type WeightConvention, type WeightSource, weightConventions } from './source';

/** Kernels (HWIO) and biases by layer. */
export type WeightMap = Readonly<Partial<Record<ConvLayer, LayerWeights>>>;

/** Options of {@link weightMap}. */
export interface WeightMapOptions {
  /** Input convention of the weights. @default 'torchvision' */
  readonly convention?: WeightConvention | undefined;
  /** Name in reports. @default 'weights in memory' */
  readonly name?: string | undefined;
}

const weightMapOptions = optionTable<WeightMapOptions>()('weightMap', {
  convention: oneOf(weightConventions, { default: 'torchvision' }),
  name: any<string, { default: string }>('a text', (value) => typeof value === 'string', {
    default: 'weights in memory',
  }),
});

/**
 * A source of weights in memory, such as those of a bundler or a test. The arrays are not copied.
 *
 * @param weights kernel [3, 3, in, out] and bias [out] of each layer
 * @throws InvalidArgumentError if a key is not a convolution of VGG-19; reading throws a `WeightsError` if a size is
 *   wrong
 * @example
 * ```ts
 * const source = weightMap({ conv1_1: { kernel: new Float32Array(3 * 3 * 3 * 64), bias: new Float32Array(64) } });
 * ```
 */
export function weightMap(weights: WeightMap, options: WeightMapOptions = {}): WeightSource {
  const { convention, name } = weightMapOptions.read(options);
  const names = vgg19Convolutions.map((step) => step.name);
  for (const key of Object.keys(weights)) requireName('weights', key, names);
  const layers = names.filter((layer) => Object.hasOwn(weights, layer));
  return {
    name,
    convention,
    layers,
    read: async (wanted) => checkedLayers(wanted, (layer) => weights[layer], name, layers),
  };
}
