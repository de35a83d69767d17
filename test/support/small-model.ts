import { expect } from 'vitest';
import { type ConvLayer, vgg19Convolutions, vgg19Layers } from '../../src/features/vgg19/layers';
import type { LayerWeights } from '../../src/features/vgg19/source';

/**
 * Reproducible weights of a layer: a cheap sequence of numbers in (-1, 1), different for each layer.
 */
export function madeLayer(layer: ConvLayer): LayerWeights {
  const { channelsIn, channelsOut } = layerOf(layer);
  return {
    kernel: madeNumbers(9 * channelsIn * channelsOut, vgg19Layers.indexOf(layer) + 1),
    bias: madeNumbers(channelsOut, vgg19Layers.indexOf(layer) + 101),
  };
}

/** Expects exactly the numbers of {@link madeLayer}. */
export function expectMade(weights: ReadonlyMap<ConvLayer, LayerWeights>, layer: ConvLayer): void {
  const [found, made] = [weights.get(layer), madeLayer(layer)];
  // Comparing bytes is a hundred times faster than toEqual.
  for (const part of ['kernel', 'bias'] as const)
    expect(Buffer.compare(bytesOf(found?.[part] ?? new Float32Array(0)), bytesOf(made[part]))).toBe(0);
}

/** A tfjs layers model of these layers, cut after every `shardBytes(i)` bytes, as files. */
export function modelFiles(
  layers: readonly ConvLayer[],
  shardBytes: (shard: number) => number,
): Map<string, Uint8Array> {
  const data = concatenate(
    layers.flatMap((layer) => [madeLayer(layer).kernel, madeLayer(layer).bias].map(bytesOf)),
  );
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at < data.length; ) {
    const end = at + shardBytes(files.size);
    files.set(`shard${files.size + 1}.bin`, data.slice(at, end));
    at = end;
  }
  const weights = layers.flatMap((layer) => {
    const [, block, index] = layer.match(/conv(\d)_(\d)/) ?? [];
    const { channelsIn, channelsOut } = layerOf(layer);
    return [
      { name: `block${block}_conv${index}/kernel`, shape: [3, 3, channelsIn, channelsOut], dtype: 'float32' },
      { name: `block${block}_conv${index}/bias`, shape: [channelsOut], dtype: 'float32' },
    ];
  });
  const json = { modelTopology: {}, weightsManifest: [{ paths: [...files.keys()], weights }] };
  return files.set('model.json', new TextEncoder().encode(JSON.stringify(json)));
}

/** A safetensors file of these layers with torchvision's names, OIHW, in the order of the names. */
export function safetensorsFile(
  layers: readonly ConvLayer[],
  dtype: 'F32' | 'BF16' = 'F32',
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const parts: Uint8Array[] = [];
  let end = 0;
  const add = (name: string, shape: readonly number[], values: Float32Array) => {
    const bytes = dtype === 'F32' ? bytesOf(values) : upperHalves(values);
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    parts.push(bytes);
    end += bytes.length;
  };
  for (const layer of layers) {
    const { channelsIn, channelsOut } = layerOf(layer);
    const { kernel, bias } = madeLayer(layer);
    const name = `features.${vgg19Layers.indexOf(layer)}`;
    const oihw = new Float32Array(kernel.length);
    for (const i of oihw.keys()) {
      const p = i % 9;
      const input = Math.floor(i / 9) % channelsIn;
      const output = Math.floor(i / 9 / channelsIn);
      oihw[i] = kernel[(p * channelsIn + input) * channelsOut + output];
    }
    add(`${name}.bias`, [channelsOut], bias);
    add(`${name}.weight`, [channelsOut, channelsIn, 3, 3], oihw);
  }
  return concatenate([...lengthAndHeader(JSON.stringify(header)), ...parts]);
}

/** The start of a safetensors file. */
export function lengthAndHeader(json: string, length?: bigint): Uint8Array[] {
  const header = new TextEncoder().encode(json);
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, length ?? BigInt(header.length), true);
  return [start, header];
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Bfloat16 is the upper half of float32. */
function upperHalves(values: Float32Array): Uint8Array {
  const words = new Uint16Array(values.buffer, values.byteOffset, 2 * values.length);
  return bytesOf(words.filter((_, i) => i % 2 === 1));
}

const bytesOf = (values: Float32Array | Uint16Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function layerOf(layer: ConvLayer) {
  const found = vgg19Convolutions.find(({ name }) => name === layer);
  if (!found) throw new Error(`no ${layer}`);
  return found;
}

/** Multiples of 1/64 in (-1, 1): exact in every format but int8, and not periodic in any power of two. */
const madeNumbers = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (((i * 37 + seed * 11) % 127) - 63) / 64);
