import { WeightsError } from '../errors';
import { showText, showValue } from '../options/show';
import { field, isShape, malformedWeights } from './json';
import { bytesPerElement, type TensorEncoding } from './tensor-encoding';
import { type StoredTensor, sizeOf, unsupportedType } from './tensor-file';

/** The parts of a tfjs `model.json` that this library needs. */
export interface ModelJson {
  readonly groups: readonly WeightGroup[];
  /** Input convention, written by `convertWeights`; absent in files of other programs. */
  readonly convention?: string | undefined;
  /** Name of the Keras model. */
  readonly network?: string | undefined;
}

/** Tensors that lie one after the other in the concatenation of some files. */
export interface WeightGroup {
  readonly paths: readonly string[];
  readonly tensors: readonly StoredTensor[];
  readonly totalBytes: number;
}

/** Reads and checks the text of a tfjs `model.json`; `source` names it in errors. */
export function parseModelJson(text: string, source: string): ModelJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed(source, `it is not JSON: ${showValue(text.slice(0, 60))}`, cause);
  }
  const manifest = field(json, 'weightsManifest');
  if (!Array.isArray(manifest)) throw malformed(source, 'it has no list weightsManifest');
  const convention = field(field(json, 'userDefinedMetadata'), 'weightConvention');
  const network = field(field(field(field(json, 'modelTopology'), 'model_config'), 'config'), 'name');
  return {
    groups: manifest.map((group) => {
      const paths = field(group, 'paths');
      if (!Array.isArray(paths) || paths.length === 0 || !paths.every((path) => typeof path === 'string'))
        throw malformed(source, 'a group of weights names no files');
      for (const path of paths) requireSafePath(path, source);
      return { paths, ...parseWeightSpecs(field(group, 'weights'), source) };
    }),
    convention: typeof convention === 'string' ? convention : undefined,
    network: typeof network === 'string' ? network : undefined,
  };
}

/** Reads and checks a list of tfjs weight specifications. */
export function parseWeightSpecs(specs: unknown, source: string): Omit<WeightGroup, 'paths'> {
  if (!Array.isArray(specs)) throw malformed(source, 'a group has no list of weights');
  let offset = 0;
  const tensors = specs.map((spec): StoredTensor => {
    const name = field(spec, 'name');
    if (typeof name !== 'string') throw malformed(source, `a weight has the name ${showValue(name)}`);
    const shape = field(spec, 'shape');
    if (!isShape(shape)) throw malformed(source, `${showText(name)} has the shape ${showValue(shape)}`);
    const { encoding, bytes } = parseEncoding(spec, shape, name, source);
    const tensor = { name, shape, encoding, offset, length: sizeOf(shape) * bytes };
    offset += tensor.length;
    if (offset > maxGroupBytes)
      throw malformed(source, `${showText(name)} ends ${offset} bytes into its group`);
    return tensor;
  });
  return { tensors, totalBytes: offset };
}

/** Throws unless a file name from a downloaded description stays inside the description's folder. */
export function requireSafePath(path: string, source: string): void {
  const segments = path.split('/');
  const safe =
    path.length <= 1024 &&
    !/[\\:\p{Cc}]/u.test(path) &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  if (safe) return;
  throw new WeightsError(
    'UNSAFE_PATH',
    `${source} names the file ${showValue(path)}; accepted: names inside its own folder.`,
    { option: 'paths', value: path, accepted: 'names inside the folder' },
  );
}

/** All of VGG-19 in float32, with its dense layers, has 575 MB; a much larger size must be wrong. */
const maxGroupBytes = 2 ** 30;

function parseEncoding(
  spec: unknown,
  shape: readonly number[],
  name: string,
  source: string,
): { encoding: TensorEncoding | undefined; bytes: number } {
  const quantization = field(spec, 'quantization');
  const type = quantization === undefined ? field(spec, 'dtype') : field(quantization, 'dtype');
  if (quantization === undefined && type === 'float32') return { encoding: { type }, bytes: 4 };
  if (quantization === undefined && (type === 'int32' || type === 'bool' || type === 'complex64'))
    return { encoding: undefined, bytes: { int32: 4, bool: 1, complex64: 8 }[type] };
  if (quantization !== undefined && type === 'float16') return { encoding: { type }, bytes: 2 };
  const scale = field(quantization, 'scale');
  if (type === 'uint8' || type === 'uint16') {
    const min = field(quantization, 'min');
    if (!isFiniteNumber(scale) || !isFiniteNumber(min))
      throw malformed(
        source,
        `${showText(name)} is quantised with scale ${showValue(scale)}, min ${showValue(min)}`,
      );
    return { encoding: { type, scale, min }, bytes: bytesPerElement[type] };
  }
  if (type === 'int8') {
    if (!Array.isArray(scale) || scale.length !== shape.at(-1) || !scale.every(isFiniteNumber))
      throw malformed(source, `${showText(name)} is int8 without one finite scale for each output channel`);
    return { encoding: { type, scale: Float32Array.from(scale) }, bytes: 1 };
  }
  throw unsupportedType(name, showValue(type), source);
}

const isFiniteNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

const malformed = (source: string, what: string, cause?: unknown): WeightsError =>
  malformedWeights('tfjs model.json', source, what, cause);
