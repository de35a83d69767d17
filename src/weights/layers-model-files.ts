import type { Bytes } from '../storage/byte-store';
import { encodeFloat16 } from './tensor-encoding';
import type { NamedTensor } from './tensor-file';

/** Storage format of kernels; biases stay float32. */
export type WeightFormat = 'float16' | 'int8';

/** Every {@link WeightFormat}. */
export const weightFormats: readonly WeightFormat[] = ['float16', 'int8'];

/** A file to be written. */
export interface WeightFile {
  readonly name: string;
  readonly bytes: Bytes;
}

/** A layer of a layers model. */
export interface ModelLayer {
  readonly name: string;
  readonly kernel: NamedTensor;
  readonly bias: NamedTensor;
}

/**
 * The files of a TensorFlow.js layers model: a shard for each layer, and last model.json, so that a folder with it is
 * complete.
 */
export function layersModelFiles(
  layers: readonly ModelLayer[],
  format: WeightFormat,
  userDefinedMetadata: Readonly<Record<string, string>>,
): WeightFile[] {
  const encoded = layers.map(({ name, kernel, bias }) => {
    const stored = format === 'float16' ? float16(kernel.values) : int8(kernel.values, bias.values.length);
    const file: WeightFile = {
      name: `${name}.bin`,
      bytes: concatenate(stored.bytes, bytesOf(bias.values)),
    };
    const weights = [
      { name: `${name}/kernel`, shape: kernel.shape, dtype: 'float32', quantization: stored.quantization },
      { name: `${name}/bias`, shape: bias.shape, dtype: 'float32' },
    ];
    return { file, group: { paths: [file.name], weights } };
  });
  const model = {
    format: 'layers-model',
    generatedBy: 'tfjs-style-transfer',
    userDefinedMetadata,
    weightsManifest: encoded.map(({ group }) => group),
  };
  const modelJson = { name: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(model)) };
  return [...encoded.map(({ file }) => file), modelJson];
}

function float16(kernel: Float32Array) {
  return { bytes: bytesOf(encodeFloat16(kernel)), quantization: { dtype: 'float16' } };
}

/** A scale for each output channel, the last axis: q = round(w / scale) with scale = max |w| / 127 over the channel. */
function int8(kernel: Float32Array, channels: number) {
  const largest = new Float32Array(channels);
  for (let i = 0; i < kernel.length; i++)
    largest[i % channels] = Math.max(largest[i % channels], Math.abs(kernel[i]));
  const scale = largest.map((value) => value / 127);
  const stored = Int8Array.from(kernel, (value, i) => {
    const step = scale[i % channels];
    return step > 0 ? Math.max(-127, Math.min(127, Math.round(value / step))) : 0;
  });
  // Nine significant digits identify any float32.
  const digits = Array.from(scale, (value) => Number(value.toPrecision(9)));
  return { bytes: bytesOf(stored), quantization: { dtype: 'int8', scale: digits } };
}

const bytesOf = (values: Float32Array | Uint16Array | Int8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function concatenate(a: Uint8Array, b: Uint8Array): Bytes {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
