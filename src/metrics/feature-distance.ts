import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor, Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import type { Loss } from '../losses/loss';
import { showValue } from '../options/show';
import { any } from '../options/table';
import { requireName } from '../options/validate';
import { owning } from '../owning';

/** Description of an extractor for error messages. */
export const acceptedExtractor = 'a FeatureExtractor, such as loadVgg19() gives';

/** Whether a value has the methods of a {@link FeatureExtractor}. */
export function isExtractor(value: unknown): value is FeatureExtractor {
  const { extract, layers } = (value ?? {}) as Partial<FeatureExtractor>;
  return typeof extract === 'function' && Array.isArray(layers);
}

/**
 * The option `extractor`. It accepts any value, because {@link requireExtractor} reports a missing one with its own
 * code.
 */
export const extractorOption = any<FeatureExtractor>(acceptedExtractor, () => true);

/** The option `layers` of metrics of features. */
export const layersWithDefault = (layers: readonly LayerName[]) =>
  any<readonly LayerName[], { readonly default: readonly LayerName[] }>(
    'an array of layer names',
    Array.isArray,
    { default: layers },
  );

/** Throws unless there is an extractor and at least one layer, and the extractor has every layer. */
export function requireExtractor(
  caller: string,
  extractor: FeatureExtractor | undefined,
  layers: readonly LayerName[] | undefined,
): asserts extractor is FeatureExtractor {
  if (!isExtractor(extractor)) {
    const message = `${caller}: extractor is ${showValue(extractor)}; accepted: ${acceptedExtractor}.`;
    throw new InvalidArgumentError('NO_EXTRACTOR', message, {
      option: 'extractor',
      value: extractor,
      accepted: acceptedExtractor,
    });
  }
  if (!Array.isArray(layers) || layers.length === 0) {
    const accepted = extractor.layers;
    const message = `${caller}: no layer is named; accepted: ${accepted.join(', ')}.`;
    throw new InvalidArgumentError('NO_LAYER', message, { option: 'layers', value: layers, accepted });
  }
  for (const layer of layers) requireName('layer', layer, extractor.layers);
}

/** The value of a loss between two images: of the features of `image`, against a target made from those of `other`. */
export function lossBetween(
  image: Image,
  other: Image,
  extractor: FeatureExtractor,
  layers: readonly LayerName[],
  lossOf: (target: Features) => Loss,
): Promise<number> {
  return owning(async ({ temporary }) => {
    const target = temporary(extractor.extract(other, layers));
    const loss = temporary(lossOf(target));
    const features = temporary(extractor.extract(image, layers));
    const value = temporary(loss.compute(features));
    return (await value.data())[0];
  });
}
