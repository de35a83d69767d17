import { WeightsError } from '../errors';
import { showText } from '../options/show';
import { type Bytes, type ReadBytesOptions, totalLength } from '../storage/byte-store';
import { type ProgressMeter, progressMeter, type WeightsProgress } from '../storage/progress';
import { bytesPerElement, decodeTensor, type TensorEncoding } from './tensor-encoding';

/** Numbers with a shape, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Elements of a shape. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);

/** Tensors by name. */
export type NamedTensors = ReadonlyMap<string, NamedTensor>;

/** Options of functions that read weights. */
export interface ReadWeightsOptions extends Pick<ReadBytesOptions, 'signal' | 'onWarning'> {
  /** Called with the bytes that have arrived and an estimate of the remaining time. */
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined;
}

/** Position and storage format of a tensor. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Undefined for types that hold no weights, such as integers. */
  readonly encoding: TensorEncoding | undefined;
  /** Name of the type in the file's own words. @default unknown */
  readonly dtype?: string | undefined;
  /** Offset in the file, or in the concatenation of the files of a group. */
  readonly offset: number;
  readonly length: number;
}

/** Tensors in one or more files, whose description has been read. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Input convention of the weights, if the file states it: for VGG-19, `'caffe'` or `'torchvision'`. */
  readonly convention?: string | undefined;
  /** Name of the network, if the file states it: `'vgg16'`. */
  readonly network?: string | undefined;
  /** Bytes of some tensors. @param tensors ascending by their offsets */
  read(
    tensors: readonly StoredTensor[],
    meter: ProgressMeter,
    options: ReadBytesOptions,
  ): Promise<ReadonlyMap<StoredTensor, Bytes>>;
}

/** Reads the description of a file of tensors. */
export type OpenTensorFile = (options: ReadBytesOptions) => Promise<TensorFile>;

/** Tensors as {@link TensorFile} has them. */
export const tensorsByName = (tensors: readonly StoredTensor[]): TensorFile['tensors'] =>
  new Map(tensors.map((tensor) => [tensor.name, tensor]));

/** The values of some tensors of a file. @param source the file, for messages */
export async function readTensors(
  file: TensorFile,
  tensors: readonly StoredTensor[],
  source: string,
  { onProgress, ...options }: ReadWeightsOptions,
): Promise<ReadonlyMap<StoredTensor, NamedTensor>> {
  const ascending = [...tensors].sort((a, b) => a.offset - b.offset);
  const meter = progressMeter(onProgress, totalLength(tensors));
  const read = new Map<StoredTensor, NamedTensor>();
  for (const [tensor, bytes] of await file.read(ascending, meter, options)) {
    const { name, shape, encoding } = tensor;
    if (!encoding) throw unsupportedType(name, 'another type', source);
    read.set(tensor, { shape, values: decodeTensor(bytes, encoding) });
  }
  return read;
}

/** The error for a tensor whose storage format this library does not read. */
export function unsupportedType(name: string, found: string, source: string): WeightsError {
  const accepted = Object.keys(bytesPerElement);
  return new WeightsError(
    'UNSUPPORTED_DTYPE',
    `${showText(name)} in ${source} is stored as ${found}; accepted: ${accepted.join(', ')}.`,
    { option: name, value: found, accepted },
  );
}
