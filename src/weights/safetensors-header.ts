import { WeightsError } from '../errors';
import { showValue } from '../options/show';
import type { StoredTensor } from './model-json';
import { bytesPerElement, type TensorEncoding } from './tensor-encoding';

/** Bytes before the header: its length, as a little-endian 64-bit number. */
export const lengthBytes = 8;

/** VGG-19's header takes 4 KB; the format itself allows 100 MB. */
const maxHeaderBytes = 2 ** 23;

/** Length of the header of a safetensors file whose first 8 bytes these are. */
export function parseHeaderLength(bytes: Uint8Array, source: string): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0, true);
  if (length >= 2n && length <= BigInt(maxHeaderBytes)) return Number(length);
  throw malformed(source, `it says that its header has ${length} bytes (accepted: 2 to ${maxHeaderBytes})`);
}

/**
 * The tensors of a safetensors file by name, with offsets in the file. As the format asks, they must lie one after the other
 * without overlaps or holes, each as long as its shape and type say, and within `fileBytes` where that is known.
 */
export function parseHeader(
  bytes: Uint8Array,
  source: string,
  fileBytes: number | undefined,
): ReadonlyMap<string, StoredTensor> {
  const start = lengthBytes + bytes.length;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(parseObject(bytes, source)))
    if (name !== '__metadata__') tensors.set(name, parseTensor(name, entry, start, source));
  let end = start;
  for (const tensor of [...tensors.values()].sort((a, b) => a.offset - b.offset || a.length - b.length)) {
    if (tensor.offset !== end) {
      const what = tensor.offset < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw malformed(
        source,
        `${showValue(tensor.name)} ${what} (it starts at byte ${tensor.offset}, not ${end})`,
      );
    }
    end += tensor.length;
  }
  if (fileBytes !== undefined && end > fileBytes)
    throw malformed(source, `its tensors end at byte ${end}, the file at ${fileBytes}`);
  return tensors;
}

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
    throw malformed(source, 'its header is no JSON', cause);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw malformed(source, 'its header is no JSON object');
  return json;
}

function parseTensor(name: string, entry: unknown, start: number, source: string): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = ownFields(entry);
  const [from, to] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (typeof dtype !== 'string' || !isExtents(shape) || !isExtents([from, to]) || from > to)
    throw malformed(
      source,
      `${showValue(name)} has dtype ${showValue(dtype)}, shape ${showValue(shape)}, data_offsets ${showValue(offsets)}`,
    );
  const encoding = Object.hasOwn(encodings, dtype) ? encodings[dtype] : undefined;
  const elements = shape.reduce((product, extent) => product * extent, 1);
  if (encoding && elements * bytesPerElement[encoding.type] !== to - from)
    throw malformed(source, `${showValue(name)}, ${dtype} of shape [${shape}], takes ${to - from} bytes`);
  return { name, shape, encoding, offset: start + from, length: to - from };
}

/** Only a record's own fields: a file's `{}` must not answer for what every object has. */
function ownFields(entry: unknown): { dtype?: unknown; shape?: unknown; data_offsets?: unknown } {
  return typeof entry === 'object' && entry !== null
    ? Object.assign(Object.create(null) as object, entry)
    : {};
}

const isExtents = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length <= 8 &&
  value.every((extent) => Number.isSafeInteger(extent) && extent >= 0);

function malformed(source: string, what: string, cause?: unknown): WeightsError {
  return new WeightsError('MALFORMED_WEIGHTS', `${source} is not a usable safetensors file: ${what}.`, {
    option: 'weights',
    accepted: 'a safetensors file',
    cause,
  });
}
