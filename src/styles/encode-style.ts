import type { Bytes } from '../storage/byte-store';
import { safetensorsBytes } from '../weights/safetensors-writer';
import { requireStyleFile } from './require-style';
import type { StyleFile } from './style-file';

/** The value of the metadata's `format`. */
export const styleFormat = 'tfjs-style-transfer style';

/**
 * A style as the bytes of a `.safetensors` file, which {@link loadStyle} reads. Equal styles give equal bytes.
 *
 * @throws InvalidArgumentError if `style` is no style
 * @example
 * ```ts
 * const style = await makeStyle(painting);
 * const blob = new Blob([encodeStyle(style)]);
 * ```
 */
export function encodeStyle(style: StyleFile): Bytes {
  requireStyleFile('style', style);
  const {
    formatVersion,
    network,
    weights,
    weightsHashes,
    layers,
    normalization,
    pooling,
    padding = 'zero',
    images,
    longerSide,
  } = style;
  const metadata: Record<string, string> = {
    format: styleFormat,
    formatVersion: String(formatVersion),
    network,
    ...(weights === undefined ? {} : { weights }),
    ...(weightsHashes === undefined ? {} : { weightsHashes: JSON.stringify(weightsHashes) }),
    layers: JSON.stringify(layers),
    normalization,
    ...(pooling === undefined ? {} : { pooling }),
    // Files of the default are as they were before padding was an option.
    ...(padding === 'zero' ? {} : { padding }),
    images: String(images),
    longerSide: JSON.stringify(longerSide),
  };
  return safetensorsBytes(style.tensors, metadata);
}
