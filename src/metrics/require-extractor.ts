import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { showValue } from '../options/show';
import { requireName } from '../options/validate';

/** Throws unless there is an extractor, and layers, all of which it has. */
export function requireExtractor(
  caller: string,
  extractor: FeatureExtractor | undefined,
  layers: readonly LayerName[] | undefined,
): asserts extractor is FeatureExtractor {
  if (typeof extractor?.extract !== 'function') {
    const accepted = 'a FeatureExtractor, such as loadVgg19() gives';
    const message = `${caller}: extractor is ${showValue(extractor)}; accepted: ${accepted}.`;
    throw new InvalidArgumentError('NO_EXTRACTOR', message, {
      option: 'extractor',
      value: extractor,
      accepted,
    });
  }
  if (!Array.isArray(layers) || layers.length === 0) {
    const accepted = extractor.layers;
    const message = `${caller}: no layer is named; accepted: ${accepted.join(', ')}.`;
    throw new InvalidArgumentError('NO_LAYER', message, { option: 'layers', value: layers, accepted });
  }
  for (const layer of layers) requireName('layer', layer, extractor.layers);
}
