import { InvalidArgumentError } from '../errors';
import { showText } from '../options/show';
import { type Bytes, totalLength } from '../storage/byte-store';
import { scalesName } from './safetensors';
import { encodeInt8 } from './tensor-encoding';
import { type NamedTensors, sizeOf } from './tensor-file';

/** Bytes before the header: its length, as a little-endian 64-bit number. */
const lengthBytes = 8;

/** The reference implementation fills the header up with spaces, so that tensors start at a multiple of this. */
const alignment = 8;

/**
 * A `.safetensors` file of tensors, in the order of `tensors`. Equal tensors and metadata give equal bytes.
 *
 * @param metadata texts by name, stored as the header's `__metadata__`
 * @param quantised names of tensors that are stored in I8, with a tensor of scales beside each; the others are in F32.
 *   @default none
 * @throws InvalidArgumentError `WRONG_SHAPE` if a tensor has not the numbers of its shape
 */
export function safetensorsBytes(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
  quantised: readonly string[] = [],
): Bytes {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const parts: Bytes[] = [];
  let end = 0;
  const add = (
    name: string,
    dtype: 'F32' | 'I8',
    shape: readonly number[],
    values: Float32Array | Int8Array,
  ) => {
    const begin = end;
    end += values.byteLength;
    header[name] = { dtype, shape, data_offsets: [begin, end] };
    parts.push(new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength));
  };
  const small: (() => void)[] = [];
  for (const [name, { shape, values }] of tensors) {
    if (values.length !== sizeOf(shape)) throw wrongShape(name, shape, values.length);
    if (!quantised.includes(name)) {
      add(name, 'F32', shape, values);
      continue;
    }
    const { stored, scale } = encodeInt8(values, shape.at(-1) ?? 1);
    add(scalesName(name), 'F32', [scale.length], scale);
    small.push(() => add(name, 'I8', shape, stored));
  }
  // Single bytes come last, so that float32 stays aligned.
  for (const addOne of small) addOne();
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(text.length / alignment) * alignment;
  const file = new Uint8Array(lengthBytes + headerBytes + totalLength(parts)).fill(
    0x20,
    lengthBytes,
    lengthBytes + headerBytes,
  );
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(text, lengthBytes);
  let at = lengthBytes + headerBytes;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

function wrongShape(name: string, shape: readonly number[], found: number): InvalidArgumentError {
  const accepted = `${sizeOf(shape)} numbers`;
  return new InvalidArgumentError(
    'WRONG_SHAPE',
    `The tensor '${showText(name)}' of shape [${shape}] has ${found} numbers; accepted: ${accepted}.`,
    { option: name, value: found, accepted },
  );
}
