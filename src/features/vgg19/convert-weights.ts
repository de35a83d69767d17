import { requireKnownOptions, requireName } from '../../options/validate';
import type { Bytes } from '../../storage/byte-store';
import { encodeFloat16 } from '../../weights/tensor-encoding';
import { layerShapes } from './check-layer';
import type { ConvLayer } from './layers';
import type { ReadWeightsOptions, WeightSource } from './source';

/** How {@link convertWeights} stores kernels; biases stay float32. */
export type WeightFormat = 'float16' | 'int8';

/** Every {@link WeightFormat}. */
export const weightFormats: readonly WeightFormat[] = ['float16', 'int8'];

/** A file that {@link convertWeights} makes. */
export interface WeightFile {
  readonly name: string;
  readonly bytes: Bytes;
}

/** Options of {@link convertWeights}. */
export interface ConvertWeightsOptions extends ReadWeightsOptions {
  /** @default 'float16' */
  readonly format?: WeightFormat | undefined;
}

/**
 * Weights in half or a quarter of their size: a `model.json` and a shard for each layer, to be put in one folder, which
 * {@link layersModelWeights} reads like any other.
 *
 * float16 is tfjs' own (`quantization: { dtype: 'float16' }`). int8 is an extension that only this library reads:
 * `quantization: { dtype: 'int8', scale: [...] }` has a scale for each output channel c, the last axis of the kernel; stored are
 * q = round(w / scale[c]) in -127..127 with scale[c] = max |w| / 127 over the channel, and read is w = q * scale[c].
 * `userDefinedMetadata.weightConvention` says what the weights expect of their input.
 *
 * @returns the files; model.json comes last, so that a folder that has it is complete
 * @throws WeightsError if the source lacks a layer
 * @example
 * ```ts
 * for (const { name, bytes } of await convertWeights(source, ['conv1_1', 'conv1_2'], { format: 'int8' }))
 *   await writeFile(join(folder, name), bytes);
 * ```
 */
export async function convertWeights(
  source: WeightSource,
  layers: readonly ConvLayer[],
  options: ConvertWeightsOptions = {},
): Promise<WeightFile[]> {
  requireKnownOptions('convertWeights', options, ['format', 'signal', 'onProgress', 'onWarning']);
  const { format = 'float16', ...reading } = options;
  requireName('format', format, weightFormats);
  const weights = await source.read(layers, reading);
  const encoded = Array.from(weights, ([layer, { kernel, bias }]) => {
    const shapes = layerShapes(layer);
    const stored = format === 'float16' ? float16(kernel) : int8(kernel, bias.length);
    const name = layer.replace(/^conv(\d)_(\d)$/, 'block$1_conv$2');
    const file: WeightFile = { name: `${name}.bin`, bytes: concatenate(stored.bytes, bytesOf(bias)) };
    const specs = [
      { name: `${name}/kernel`, shape: shapes.kernel, dtype: 'float32', quantization: stored.quantization },
      { name: `${name}/bias`, shape: shapes.bias, dtype: 'float32' },
    ];
    return { file, group: { paths: [file.name], weights: specs } };
  });
  const model = {
    format: 'layers-model',
    generatedBy: 'tfjs-style-transfer',
    userDefinedMetadata: { weightConvention: source.convention, derivedFrom: source.name },
    weightsManifest: encoded.map(({ group }) => group),
  };
  const modelJson = { name: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(model)) };
  return [...encoded.map(({ file }) => file), modelJson];
}

function float16(kernel: Float32Array) {
  return { bytes: bytesOf(encodeFloat16(kernel)), quantization: { dtype: 'float16' } };
}

function int8(kernel: Float32Array, channels: number) {
  const largest = new Float32Array(channels);
  for (let i = 0; i < kernel.length; i++)
    largest[i % channels] = Math.max(largest[i % channels], Math.abs(kernel[i]));
  const scale = largest.map((value) => value / 127);
  const stored = Int8Array.from(kernel, (value, i) => {
    const step = scale[i % channels];
    return step > 0 ? Math.max(-127, Math.min(127, Math.round(value / step))) : 0;
  });
  // Nine digits tell any float32 from its neighbours.
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
