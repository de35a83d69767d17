import { WeightsError } from '../errors';
import { showText, showValue } from '../options/show';
import { type ByteStore, type Bytes, totalLength } from '../storage/byte-store';
import { field, isShape, malformedWeights } from './json';
import { bytesPerElement, decodeTensor, type TensorEncoding } from './tensor-encoding';
import {
  type NamedTensor,
  type NamedTensors,
  type OpenTensorFile,
  type StoredTensor,
  sizeOf,
  type TensorFile,
  unsupportedType,
} from './tensor-file';

/** A `.safetensors` file, with tensors in F32, F16 or BF16. */
export function openSafetensors(store: ByteStore): OpenTensorFile {
  return async (options) => {
    const file = store.entry ?? 'model.safetensors';
    const source = `${showText(file)} in ${store.name}`;
    const [start] = await store.readRanges(file, [{ offset: 0, length: lengthBytes }], options);
    const header = { offset: lengthBytes, length: parseHeaderLength(start, source) };
    const [text] = await store.readRanges(file, [header], options);
    return {
      // Where the size is not known, reading a tensor beyond the end fails.
      ...parseHeader(text, source, await store.size?.(file)),
      async read(wanted, meter, reading) {
        const onBytes = (loaded: number) => meter(file, Math.max(0, loaded - header.length));
        // The header is read again: if the file was replaced since, tensors must not be read at the old offsets.
        const ranges = [header, ...wanted];
        const [again, ...parts] = await store.readRanges(file, ranges, { ...reading, onBytes });
        if (again.some((byte, i) => byte !== text[i]))
          throw new WeightsError('FILE_CHANGED', `${source} was replaced while it was read.`, {
            option: 'weights',
          });
        meter(file, totalLength(parts));
        return new Map(wanted.map((tensor, i) => [tensor, parts[i]]));
      },
    };
  };
}

/** Bytes before the header: its length, as a little-endian 64-bit number. */
const lengthBytes = 8;

/** VGG-19's header takes 4 KB; the format itself allows 100 MB. */
const maxHeaderBytes = 2 ** 23;

/** Length of the header of a safetensors file whose first 8 bytes these are. */
export function parseHeaderLength(bytes: Uint8Array, source: string): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0, true);
  if (length >= 2n && length <= BigInt(maxHeaderBytes)) return Number(length);
  throw malformed(source, `its stated header length is ${length} bytes (accepted: 2 to ${maxHeaderBytes})`);
}

/**
 * The tensors of a safetensors file by name, with offsets in the file. As the format requires, they must be consecutive
 * without overlaps or holes, each of the length of its shape and type, and within `fileBytes` if it is known.
 */
export function parseHeader(
  bytes: Uint8Array,
  source: string,
  fileBytes: number | undefined,
): Pick<TensorFile, 'tensors' | 'convention'> & { readonly metadata: ReadonlyMap<string, string> } {
  const start = lengthBytes + bytes.length;
  const tensors = new Map<string, StoredTensor>();
  const header = parseObject(bytes, source);
  for (const [name, entry] of Object.entries(header))
    if (name !== '__metadata__') tensors.set(name, parseTensor(name, entry, start, source));
  let end = start;
  for (const tensor of [...tensors.values()].sort((a, b) => a.offset - b.offset || a.length - b.length)) {
    if (tensor.offset !== end) {
      const what = tensor.offset < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      const where = `it starts at byte ${tensor.offset}, not ${end}`;
      throw malformed(source, `${showValue(tensor.name)} ${what} (${where})`);
    }
    end += tensor.length;
  }
  if (fileBytes !== undefined && end > fileBytes)
    throw malformed(source, `its tensors end at byte ${end}, the file at ${fileBytes}`);
  const metadata = new Map<string, string>();
  for (const [name, text] of Object.entries(field(header, '__metadata__') ?? {}))
    if (typeof text === 'string') metadata.set(name, text);
  return { tensors, metadata, convention: metadata.get('weightConvention') };
}

/**
 * A whole `.safetensors` file: its tensors, which are views of `bytes` where they are aligned, and its metadata.
 *
 * @param source the file, for messages
 * @throws WeightsError `MALFORMED_WEIGHTS` if the bytes are not such a file, `UNSUPPORTED_DTYPE` if a tensor is not in
 *   F32, F16 or BF16, or in I8 with scales
 */
export function readSafetensors(
  bytes: Bytes,
  source: string,
): { readonly tensors: NamedTensors; readonly metadata: ReadonlyMap<string, string> } {
  if (bytes.length < lengthBytes) throw malformed(source, `it has ${bytes.length} bytes`);
  const end = lengthBytes + parseHeaderLength(bytes.subarray(0, lengthBytes), source);
  if (end > bytes.length)
    throw malformed(source, `its header ends at byte ${end}, the file at ${bytes.length}`);
  const { tensors, metadata } = parseHeader(bytes.subarray(lengthBytes, end), source, bytes.length);
  const read = new Map<string, NamedTensor>();
  const valuesOf = ({ name, offset, length }: StoredTensor, encoding: TensorEncoding | undefined) => {
    if (!encoding) throw unsupportedType(name, 'another type', source);
    return decodeTensor(bytes.subarray(offset, offset + length), encoding);
  };
  const used = new Set<string>();
  for (const tensor of tensors.values()) {
    const { name, shape, encoding, dtype } = tensor;
    const scales = dtype === 'I8' ? tensors.get(scalesName(name)) : undefined;
    if (!scales) {
      read.set(name, { shape, values: valuesOf(tensor, encoding) });
      continue;
    }
    if (scales.shape.length !== 1 || scales.shape[0] !== shape.at(-1))
      throw malformed(
        source,
        `${showValue(scales.name)} has the shape [${scales.shape}], not [${shape.at(-1)}]`,
      );
    used.add(scales.name);
    read.set(name, {
      shape,
      values: valuesOf(tensor, { type: 'int8', scale: valuesOf(scales, scales.encoding) }),
    });
  }
  for (const name of used) read.delete(name);
  return { tensors: read, metadata };
}

/** Name of the scales [channels] of a tensor in I8: value = stored * scale of its index on the last axis. */
export const scalesName = (name: string): string => `${name}:scales`;

const encodings: Readonly<Record<string, TensorEncoding>> = {
  F32: { type: 'float32' },
  F16: { type: 'float16' },
  BF16: { type: 'bfloat16' },
};

function parseObject(bytes: Uint8Array, source: string): object {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed(source, 'its header is not JSON', cause);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw malformed(source, 'its header is not a JSON object');
  return json;
}

function parseTensor(name: string, entry: unknown, start: number, source: string): StoredTensor {
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((name) => field(entry, name));
  const [from, to] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  const inOrder = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to;
  if (typeof dtype !== 'string' || !isShape(shape) || !inOrder) {
    const found = `dtype ${showValue(dtype)}, shape ${showValue(shape)}, data_offsets ${showValue(offsets)}`;
    throw malformed(source, `${showValue(name)} has ${found}`);
  }
  const encoding = Object.hasOwn(encodings, dtype) ? encodings[dtype] : undefined;
  const elementBytes = encoding ? bytesPerElement[encoding.type] : dtype === 'I8' ? 1 : undefined;
  if (elementBytes && sizeOf(shape) * elementBytes !== to - from)
    throw malformed(source, `${showValue(name)}, ${dtype} of shape [${shape}], takes ${to - from} bytes`);
  return { name, shape, encoding, dtype, offset: start + from, length: to - from };
}

const malformed = (source: string, what: string, cause?: unknown): WeightsError =>
  malformedWeights('safetensors file', source, what, cause);
