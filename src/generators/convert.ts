import { InvalidArgumentError, WeightsError } from '../errors';
import { createGenerator, type Generator, type GeneratorParts } from '../features/generator';
import { showValue } from '../options/show';
import { any, oneOf, optionTable } from '../options/table';
import type { Bytes } from '../storage/byte-store';
import { readSafetensors } from '../weights/safetensors';
import type { NamedTensors } from '../weights/tensor-file';
import { forBlueFirst } from './readers/blue-first';
import { isCartoonGan, readCartoonGan } from './readers/cartoon-gan';
import { type OnnxNetwork, readOnnxNetwork } from './readers/onnx';
import { type ValueRange, valueRange } from './value-range';

/** Options of {@link convertGenerator}. */
export interface ConvertGeneratorOptions
  extends Pick<GeneratorParts, 'name' | 'styles' | 'license' | 'origin'> {
  /**
   * The network that finds the style vector in a style image, as a second ONNX file; it takes pictures in [0,1].
   * @default none
   */
  readonly predictor?: Uint8Array | ArrayBuffer | undefined;
  /** Values of black and white that the network takes. @default those of the output */
  readonly inputRange?: ValueRange | undefined;
  /**
   * Values of black and white that the network gives.
   * @default [0, 1] after a sigmoid, [-1, 1] after a tanh, the bounds of a clip at the end
   */
  readonly outputRange?: ValueRange | undefined;
  /** The order of colours that the network takes and gives. @default 'rgb' */
  readonly channels?: 'rgb' | 'bgr' | undefined;
}

const range = (help: string, flag: string) => ({ ...valueRange(), kind: 'numbers' as const, help, flag });

const text = (help: string, flag: string) => ({
  ...any<string>('a text', (value) => typeof value === 'string'),
  help,
  flag,
});

export const convertGeneratorOptions = optionTable<ConvertGeneratorOptions>()('convertGenerator', {
  predictor: any('the bytes of an ONNX file', isBytes),
  inputRange: range('black and white that the network takes', '--input-range <low,high>'),
  outputRange: range('black and white that the network gives', '--output-range <low,high>'),
  channels: oneOf(['rgb', 'bgr'], {
    default: 'rgb',
    help: 'the order of colours that the network takes and gives',
    flag: '--channels <order>',
  }),
  name: text('name of the generator', '--name <name>'),
  styles: {
    ...any<readonly string[]>(
      'an array of names',
      (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    ),
    kind: 'names' as const,
    help: 'names of the styles that it paints',
    flag: '--styles <names>',
  },
  license: text('licence of the weights', '--license <licence>'),
  origin: text('where the weights come from', '--origin <text>'),
});

/**
 * Makes a generator of another program's file: an ONNX file of a feed-forward style network, as PyTorch and tf2onnx
 * write it, or a `.safetensors` file with CartoonGAN's published tensors. Norms that a graph spells out, 8-bit
 * constants and arithmetic with a second input, which chooses the style, become steps and tensors; rounding of feature
 * maps to 8 bits is left out. The result equals onnxruntime's up to rounding.
 *
 * @param file its bytes
 * @returns the generator; `saveGenerator` writes it as one file
 * @throws WeightsError `MALFORMED_WEIGHTS` if the bytes are no such file, `UNSUPPORTED_NETWORK` if an operation has no
 *   equal among the steps of generators; InvalidArgumentError for wrong options, and `MISSING_ARGUMENT` if the range of
 *   the output must be told
 * @example
 * ```ts
 * const generator = await convertGenerator(await readFile('candy.onnx'), { outputRange: [0, 255] });
 * ```
 */
export async function convertGenerator(
  file: Uint8Array | ArrayBuffer,
  options: ConvertGeneratorOptions = {},
): Promise<Generator> {
  const { predictor, inputRange, outputRange, channels, ...about } = convertGeneratorOptions.read(options);
  const bytes = bytesOf('file', file);
  if (isSafetensors(bytes)) {
    requireNone({ predictor, inputRange, outputRange, channels: options.channels });
    const { tensors } = readSafetensors(bytes, 'the file');
    return createGenerator({ ...readCartoonGan(requireCartoonGan(tensors)), ...about });
  }
  const found = requireKind(
    'generator',
    'file',
    await readOnnxNetwork(bytes, 'the file', { inputRange, outputRange }),
  );
  const { network, weights } = channels === 'bgr' ? forBlueFirst(found) : found;
  if (predictor === undefined) return createGenerator({ network, weights, ...about });
  const predicting = requireKind(
    'predictor',
    'predictor',
    await readOnnxNetwork(bytesOf('predictor', predictor), 'the predictor', { prefix: 'predictor/' }),
  );
  return createGenerator({
    network,
    weights: new Map([...weights, ...predicting.weights]),
    predictor: predicting.predictor,
    ...about,
  });
}

function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  return value instanceof Uint8Array || value instanceof ArrayBuffer;
}

function bytesOf(option: string, file: unknown): Bytes {
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  if (file instanceof Uint8Array)
    return file.buffer instanceof ArrayBuffer ? (file as Bytes) : new Uint8Array(file);
  const accepted = 'the bytes of a file as Uint8Array or ArrayBuffer';
  throw new InvalidArgumentError('WRONG_TYPE', `${option} is ${showValue(file)}; accepted: ${accepted}.`, {
    option,
    value: file,
    accepted,
  });
}

/** The header of a safetensors file is a JSON object behind eight bytes; an ONNX file has its version number first. */
const isSafetensors = (bytes: Bytes): boolean => bytes[8] === 0x7b;

function requireCartoonGan(tensors: NamedTensors): NamedTensors {
  if (isCartoonGan(tensors)) return tensors;
  const accepted = "CartoonGAN's tensors; loadGenerator() reads what saveGenerator() wrote";
  throw new WeightsError(
    'UNSUPPORTED_NETWORK',
    `The file is a .safetensors file of a network that is not known; accepted: ${accepted}.`,
    { option: 'file', accepted },
  );
}

function requireKind<Kind extends OnnxNetwork['kind']>(
  kind: Kind,
  option: string,
  found: OnnxNetwork,
): Extract<OnnxNetwork, { kind: Kind }> {
  if (found.kind === kind) return found as Extract<OnnxNetwork, { kind: Kind }>;
  const names = { generator: 'from an image to an image', predictor: 'from an image to a vector' };
  throw new WeightsError(
    'UNSUPPORTED_NETWORK',
    `${option} is a network ${names[found.kind]}; accepted: one ${names[kind]}.`,
    { option, value: found.kind, accepted: kind },
  );
}

/** CartoonGAN's range and order of colours are known. */
function requireNone(options: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(options).find(([, value]) => value !== undefined);
  if (!given) return;
  const accepted = `${given[0]} for an ONNX file`;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${given[0]} has no effect on a .safetensors file; accepted: ${accepted}.`,
    { option: given[0], value: given[1], accepted },
  );
}
