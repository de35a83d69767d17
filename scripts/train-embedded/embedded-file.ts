import { headerBytes } from '../../src/features/vgg19/embedded/embedded-file';
import type { LayerWeights } from '../../src/features/vgg19/source';

/**
 * The file that `src/features/vgg19/embedded` reads.
 *
 * @param layers conv1_1 to conv3_1, in the convention of that file
 */
export function encodeEmbedded(layers: readonly LayerWeights[], seed: number): Uint8Array<ArrayBuffer> {
  const parts = layers.map(({ kernel, bias }) => {
    const scale = channelScales(kernel, bias.length);
    const stored = Int8Array.from(kernel, (value, i) => Math.round(value / scale[i % scale.length]));
    return [bytesOf(scale), bytesOf(bias), bytesOf(stored)];
  });
  const header = new Uint8Array(headerBytes);
  header.set(new TextEncoder().encode('EMB1'));
  new DataView(header.buffer).setUint32(4, seed, true);
  return concatenate([header, ...parts.flat()]);
}

/** The scale of every output channel (the last axis) with which its largest weight is stored as 127. */
function channelScales(kernel: Float32Array, channels: number): Float32Array {
  const largest = new Float32Array(channels);
  kernel.forEach((value, i) => {
    largest[i % channels] = Math.max(largest[i % channels], Math.abs(value));
  });
  return largest.map((value) => value / 127);
}

const bytesOf = (values: Float32Array | Int8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
