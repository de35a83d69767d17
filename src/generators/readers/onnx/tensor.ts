import type { WeightsError } from '../../../errors';
import { showText, showValue } from '../../../options/show';
import { isShape } from '../../../weights/json';
import { decodeTensor } from '../../../weights/tensor-encoding';
import { sizeOf } from '../../../weights/tensor-file';

/** A constant tensor, row-major. Weights are float32; integers and doubles are exact as doubles. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** A tensor as it is stored: raw bytes, or a list of numbers. */
export interface StoredOnnxTensor {
  name: string;
  shape: number[];
  type: number;
  raw?: Uint8Array;
  floats: number[];
  integers: number[];
  external: boolean;
}

/** Decodes a stored tensor. @param fail makes the error of a file that is not usable */
export function readTensor(stored: StoredOnnxTensor, fail: (what: string) => WeightsError): OnnxTensor {
  const { name, shape, type, raw, floats, integers, external } = stored;
  const what = `the tensor '${showText(name)}'`;
  if (external) throw fail(`${what} lies in another file; write the model with its tensors inside`);
  if (!isShape(shape)) throw fail(`${what} has the shape ${showValue(stored.shape)}`);
  const decoder = Object.hasOwn(decoders, type) ? decoders[type] : undefined;
  if (!decoder) throw fail(`${what} is of type ${type}, which is none of numbers`);
  const size = sizeOf(shape);
  if (raw && raw.length !== size * decoder.bytes)
    throw fail(`${what} has ${raw.length} bytes; its shape [${shape}] takes ${size * decoder.bytes}`);
  const values = raw
    ? decoder.decode(new Uint8Array(raw))
    : decoder.stored(floats.length > 0 ? floats : integers);
  if (values.length !== size) throw fail(`${what} has ${values.length} numbers for the shape [${shape}]`);
  return { shape, values };
}

interface Decoder {
  /** Bytes of a number in raw bytes. */
  readonly bytes: number;
  /** Numbers of raw bytes, little-endian. */
  decode(raw: Uint8Array<ArrayBuffer>): Float32Array | Float64Array;
  /** Numbers of the fields of numbers, of which 16-bit floats are bit patterns. */
  stored(numbers: readonly number[]): Float32Array | Float64Array;
}

const exact = (bytes: number, read: (view: DataView, at: number) => number): Decoder => ({
  bytes,
  decode(raw) {
    const view = new DataView(raw.buffer);
    return Float64Array.from({ length: raw.length / bytes }, (_, i) => read(view, i * bytes));
  },
  stored: (numbers) => Float64Array.from(numbers),
});

const halves = (type: 'float16' | 'bfloat16'): Decoder => ({
  bytes: 2,
  decode: (raw) => decodeTensor(raw, { type }),
  stored: (bits) => decodeTensor(new Uint8Array(Uint16Array.from(bits).buffer), { type }),
});

/** By the numbers of onnx.proto's TensorProto.DataType. */
const decoders: Readonly<Record<number, Decoder>> = {
  1: {
    bytes: 4,
    decode: (raw) => decodeTensor(raw, { type: 'float32' }),
    stored: (numbers) => Float32Array.from(numbers),
  },
  2: exact(1, (view, at) => view.getUint8(at)),
  3: exact(1, (view, at) => view.getInt8(at)),
  4: exact(2, (view, at) => view.getUint16(at, true)),
  5: exact(2, (view, at) => view.getInt16(at, true)),
  6: exact(4, (view, at) => view.getInt32(at, true)),
  7: exact(8, (view, at) => Number(view.getBigInt64(at, true))),
  9: exact(1, (view, at) => view.getUint8(at)),
  10: halves('float16'),
  11: exact(8, (view, at) => view.getFloat64(at, true)),
  12: exact(4, (view, at) => view.getUint32(at, true)),
  16: halves('bfloat16'),
};
