import { WeightsError } from '../../errors';
import { showText, showValue } from '../../options/show';
import { untilAborted } from '../../until-aborted';
import type { ReadWeightsOptions } from '../../weights/tensor-file';
import { checkedLayers } from './check-layer';
import type { ConvLayer } from './layers';
import type { LayersWeights, WeightSource } from './source';

/**
 * Reads layers from a source and checks the result. Rejects when `signal` aborts, even if the source ignores the
 * signal.
 * @throws WeightsError if a layer is missing, or has a size other than VGG-19's or a number that is not finite
 */
export async function readLayers(
  source: WeightSource,
  layers: readonly ConvLayer[],
  options: ReadWeightsOptions,
): Promise<LayersWeights> {
  const read: unknown = await untilAborted(options.signal, source.read(layers, options));
  const name = showText(source.name, 200);
  if (typeof (read as Partial<LayersWeights> | undefined)?.get !== 'function') {
    const accepted = 'a Map from layer to { kernel, bias }';
    const message = `read() of the weight source ${name} gave ${showValue(read)}; accepted: ${accepted}.`;
    throw new WeightsError('WRONG_WEIGHTS', message, { option: 'weights', value: read, accepted });
  }
  const map = read as LayersWeights;
  return checkedLayers(layers, (layer) => map.get(layer), name, [...map.keys()]);
}
