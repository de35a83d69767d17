import type { ConvLayer } from '../../layers';
import { checkLayer, layerShapes, missingLayer } from '../check-layer';
import type { LayerWeights, WeightSource } from '../source';
import { decodeTensor } from '../tensor-encoding';
import bytes from './weights.bin';

const name = 'the embedded network (not VGG-19)';
/** The paper's five layers, in the order in which the file holds them. */
const layers: readonly ConvLayer[] = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'];

/** The small network that comes with the package: float16, kernel (HWIO) then bias, layer after layer. */
export const embeddedWeights: WeightSource = {
  name,
  convention: 'caffe',
  layers,
  embedded: true,
  async read(wanted) {
    return new Map(wanted.map((layer) => [layer, checkLayer(layer, decodeLayer(layer), name)]));
  },
};

function decodeLayer(layer: ConvLayer): LayerWeights {
  if (!layers.includes(layer)) throw missingLayer(layer, name, layers);
  let offset = 0;
  for (const previous of layers.slice(0, layers.indexOf(layer)))
    offset += kernelSize(previous) + biasSize(previous);
  const decode = (from: number, length: number) =>
    decodeTensor(bytes.subarray(2 * from, 2 * (from + length)), { type: 'float16' });
  return {
    kernel: decode(offset, kernelSize(layer)),
    bias: decode(offset + kernelSize(layer), biasSize(layer)),
  };
}

const kernelSize = (layer: ConvLayer): number =>
  layerShapes(layer).kernel.reduce((product, extent) => product * extent, 1);
const biasSize = (layer: ConvLayer): number => layerShapes(layer).bias[0];
