import { checkedLayers } from '../check-layers';
import type { ConvLayer } from '../layers';
import type { WeightSource } from '../source';
import bytes from './embedded.bin';
import { decodeEmbeddedLayer, embeddedConvention, embeddedLayers } from './embedded-file';

const name = 'the embedded network (not VGG-19)';
const layers: readonly ConvLayer[] = embeddedLayers;

/**
 * The small network of this package, used if VGG-19 is not available: its five layers were learned from procedural
 * images by scripts/train-embedded. Import it dynamically only, because its code has 0.75 MB.
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
