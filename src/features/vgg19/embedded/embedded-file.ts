import { decodeTensor } from '../../../weights/tensor-encoding';
import { sizeOf } from '../../../weights/tensor-file';
import { layerShapes } from '../check-layers';
import type { ConvLayer } from '../layers';
import { paperLayers } from '../paper-layers';
import type { LayerWeights, WeightConvention } from '../source';

/** The convolutions of the network, in the order in which the file holds them. */
export const embeddedLayers = paperLayers;

/** Input convention of the network: RGB, with features on the scale for which style weights are published. */
export const embeddedConvention: WeightConvention = 'torchvision';

/** `EMB1`, and the seed that the network was trained from (uint32). */
export const headerBytes = 8;

/**
 * One layer of `embedded.bin`, which scripts/train-embedded writes: {@link headerBytes}, then for each layer a scale
 * for every output channel and the biases (float32), and the kernel (int8, HWIO). All little-endian; value = stored *
 * scale of its output channel.
 */
export function decodeEmbeddedLayer(bytes: Uint8Array<ArrayBuffer>, layer: ConvLayer): LayerWeights {
  let start = headerBytes;
  for (const previous of embeddedLayers) {
    const { kernelSize, channels } = sizes(previous);
    const ends = [4 * channels, 8 * channels, 8 * channels + kernelSize].map((length) => start + length);
    if (previous === layer) {
      const scale = decodeTensor(bytes.slice(start, ends[0]), { type: 'float32' });
      const bias = decodeTensor(bytes.slice(ends[0], ends[1]), { type: 'float32' });
      const kernel = decodeTensor(bytes.subarray(ends[1], ends[2]), { type: 'int8', scale });
      return { kernel, bias };
    }
    start = ends[2];
  }
  throw new RangeError(`The embedded network has no ${layer}.`);
}

function sizes(layer: ConvLayer): { kernelSize: number; channels: number } {
  const { kernel, bias } = layerShapes(layer);
  return { kernelSize: sizeOf(kernel), channels: bias[0] };
}
