import { checkedLayers } from '../check-layer';
import type { ConvLayer } from '../layers';
import type { WeightSource } from '../source';
import bytes from './embedded.bin';
import { decodeEmbeddedLayer, embeddedConvention, embeddedLayers } from './embedded-file';

const name = 'the embedded network (not VGG-19)';
const layers: readonly ConvLayer[] = embeddedLayers;

/**
 * The small network that comes with this package for where no VGG-19 can be had: its five layers were learned from
 * procedural images by scripts/train-embedded. To be loaded by a dynamic import only, for its 0.75 MB of code.
 */
export const embeddedWeights: WeightSource = {
  name,
  convention: embeddedConvention,
  layers,
  embedded: true,
  read: async (wanted) =>
    checkedLayers(
      wanted,
      (layer) => (layers.includes(layer) ? decodeEmbeddedLayer(bytes, layer) : undefined),
      name,
      layers,
    ),
};
