import type { LoadVgg19Options } from '../engines/load-vgg19';
import { defaultLastLayer } from '../engines/load-vgg19';
import { readLayers } from '../features/vgg19/check-layers';
import type { ConvLayer, Vgg19Layer } from '../features/vgg19/layers';
import { convolutionsUpTo } from '../features/vgg19/layers';
import { resolveWeights } from '../features/vgg19/resolve-weights';
import type { LayersWeights, LayerWeights, WeightConvention, WeightSource } from '../features/vgg19/source';
import type { Platform } from '../platform';
import type { Shared } from '../transfer/style-targets';

/** Numbers that several threads read, and what is told of them. */
export interface SharedNumbers {
  readonly arrays: Readonly<Record<string, Float32Array>>;
  /** JSON. */
  readonly facts?: string | undefined;
}

/** What is told of weights. */
interface Facts {
  readonly name: string;
  readonly convention: WeightConvention;
  readonly embedded?: boolean | undefined;
}

/**
 * The source of a network's weights, which one of those who share them reads for all.
 *
 * @throws InvalidArgumentError and WeightsError as `loadVgg19`
 */
export async function sharedWeights(
  shared: Shared<SharedNumbers>,
  { weights: platform }: Pick<Platform<never>, 'weights'>,
  { weights, lastLayer = defaultLastLayer, signal, onProgress, onWarning }: LoadVgg19Options,
): Promise<WeightSource> {
  const layers = convolutionsUpTo(lastLayer);
  const { arrays, facts } = await shared.get(keyOf(weights, lastLayer), async () => {
    const { source } = await resolveWeights(weights, layers, { platform, signal, onWarning });
    const read = await readLayers(source, layers, { signal, onProgress, onWarning });
    const { name, convention, embedded } = source;
    return { arrays: arraysOf(read), facts: JSON.stringify({ name, convention, embedded } satisfies Facts) };
  });
  const read = weightsOf(arrays, layers);
  return { ...(JSON.parse(facts as string) as Facts), read: async () => read };
}

const keyOf = (weights: unknown, lastLayer: Vgg19Layer) => JSON.stringify(['weights', weights, lastLayer]);

function arraysOf(weights: LayersWeights): SharedNumbers['arrays'] {
  const entries = [...weights].flatMap(([layer, { kernel, bias }]) => [
    [`${layer}/kernel`, kernel] as const,
    [`${layer}/bias`, bias] as const,
  ]);
  return Object.fromEntries(entries);
}

const weightsOf = (arrays: SharedNumbers['arrays'], layers: readonly ConvLayer[]): LayersWeights =>
  new Map(
    layers.map((layer): readonly [ConvLayer, LayerWeights] => [
      layer,
      { kernel: arrays[`${layer}/kernel`], bias: arrays[`${layer}/bias`] },
    ]),
  );
