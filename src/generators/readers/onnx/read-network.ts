import { InvalidArgumentError, WeightsError } from '../../../errors';
import type { GeneratorNetwork, GeneratorStep } from '../../../features/generator-network';
import type { Normalization } from '../../../features/network';
import type { PredictorStep, StylePredictor } from '../../../features/style-predictor';
import { showText } from '../../../options/show';
import type { Bytes } from '../../../storage/byte-store';
import type { NamedTensors } from '../../../weights/tensor-file';
import type { ValueRange } from '../../value-range';
import { affineOf, isPooled } from './expression';
import { constant, Inexpressible, type Known, numbersOf } from './known';
import { type KnownOperation, knownOperations } from './known-operations';
import { isMap, type MapOperands, type Value } from './map-operands';
import { mapOperations } from './map-operations';
import { type OnnxModel, type OnnxNode, type OnnxValueInfo, readOnnx } from './model';
import { asValue, type MapValue, NetworkBuilder, perChannel } from './network-builder';

/** Options of {@link readOnnxNetwork}. */
export interface OnnxNetworkOptions {
  /** Name of the network in reports. @default 'onnx' */
  readonly name?: string | undefined;
  /** What the names of tensors begin with. @default '' */
  readonly prefix?: string | undefined;
  /** Values of black and white in the input. @default that of the output */
  readonly inputRange?: ValueRange | undefined;
  /** Values of black and white in the output. @default [0, 1] after a sigmoid, [-1, 1] after a tanh */
  readonly outputRange?: ValueRange | undefined;
}

/** What an ONNX file holds: a generator, perhaps one that paints by a condition, or a predictor of conditions. */
export type OnnxNetwork =
  | {
      readonly kind: 'generator';
      readonly network: GeneratorNetwork;
      /** With `NAME/slopes` beside each parameter that a vector changes, as `GeneratorParts` has them. */
      readonly weights: NamedTensors;
      /** Length of the vector that chooses a style; 0 where there is none. */
      readonly vectorLength: number;
    }
  | { readonly kind: 'predictor'; readonly predictor: StylePredictor; readonly weights: NamedTensors };

/**
 * Reads the network of an ONNX file as steps. The arithmetic that norms are written in, quantised constants and shapes
 * are resolved; rounding of feature maps to 8 bits is left out.
 *
 * @param source the file, for messages
 * @throws WeightsError `MALFORMED_WEIGHTS` if the bytes are no ONNX file, `UNSUPPORTED_NETWORK` if an operation has no
 *   equal among the steps; InvalidArgumentError `MISSING_ARGUMENT` if the range of values must be told
 */
export async function readOnnxNetwork(
  bytes: Bytes,
  source: string,
  options: OnnxNetworkOptions = {},
): Promise<OnnxNetwork> {
  const model = await readOnnx(bytes, source);
  const unsupported = (what: string) =>
    new WeightsError('UNSUPPORTED_NETWORK', `${source} holds ${what}.`, {
      option: 'network',
      value: what,
      accepted: 'networks of the steps of GeneratorNetwork',
    });
  const { image, condition } = inputsOf(model, unsupported);
  const builder = new NetworkBuilder(options.prefix);
  const values = new Map<string, Value>(model.constants);
  const [height, width] = (image.axis === 1 ? image.shape.slice(2) : image.shape.slice(1)).map(
    (extent) => extent ?? someSize,
  );
  const readers = readersOf(model);
  values.set(
    image.name,
    asValue({ step: 'input', channels: 3, height, width, readers: readers(image.name) }, image.axis),
  );
  if (condition) values.set(condition.name, theCondition(condition.shape));
  for (const node of neededNodes(model)) {
    try {
      const inputs = node.inputs.map((name) => (name === '' ? undefined : valueNamed(values, name)));
      values.set(node.outputs[0], compute({ node, inputs, builder, readers: readers(node.outputs[0]) }));
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      throw unsupported(
        `${showText(node.op)} (${showText(node.name || node.outputs[0])}): ${showText(error.message, 160)}`,
      );
    }
  }
  try {
    return finish(model, values, builder, options);
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
    throw unsupported(`an output of another kind: ${showText(error.message, 160)}`);
  }
}

/** Height and width that sizes are computed with where the file states none; a multiple of what networks halve. */
const someSize = 256;

interface GraphInputs {
  readonly image: OnnxValueInfo & { readonly axis: 1 | 3 };
  readonly condition: { readonly name: string; readonly shape: readonly number[] } | undefined;
}

function inputsOf({ inputs }: OnnxModel, unsupported: (what: string) => WeightsError): GraphInputs {
  const images = inputs.filter(({ shape }) => shape.length === 4 && (shape[1] === 3 || shape[3] === 3));
  const others = inputs.filter((input) => !images.includes(input));
  const fixed = others.map(({ name, shape }) => ({ name, shape: shape.map((extent) => extent ?? 1) }));
  if (images.length !== 1 || others.length > 1)
    throw unsupported(
      `${images.length} inputs of 3 channels and ${others.length} others; accepted: an image, and perhaps a vector`,
    );
  const [image] = images;
  return { image: { ...image, axis: image.shape[1] === 3 ? 1 : 3 }, condition: fixed[0] };
}

/** The condition as a function of itself. */
function theCondition(shape: readonly number[]): Known {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const slopes = new Float64Array(size * size);
  for (let i = 0; i < size; i++) slopes[i * (size + 1)] = 1;
  return { shape, values: new Float64Array(size), slopes };
}

/** The nodes that the first output depends on. */
function neededNodes({ nodes, outputs }: OnnxModel): readonly OnnxNode[] {
  const needed = new Set([outputs[0]?.name]);
  const found: OnnxNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of node.inputs) needed.add(name);
    found.unshift(node);
  }
  return found;
}

/** Operations after which a map is still the same. */
const passing = new Set([
  'Identity',
  'Dropout',
  'Cast',
  'QuantizeLinear',
  'DequantizeLinear',
  'Transpose',
  'Reshape',
]);

/** How many operations read a value, be it through others that pass it on. */
function readersOf(model: OnnxModel): (name: string) => number {
  const nodes = neededNodes(model);
  const counts = new Map<string, number>();
  const count = (name: string, more: number) => counts.set(name, (counts.get(name) ?? 0) + more);
  for (const { name } of model.outputs) count(name, 1);
  for (const { op, inputs, outputs } of [...nodes].reverse())
    for (const name of inputs) count(name, passing.has(op) ? (counts.get(outputs[0]) ?? 0) : 1);
  return (name) => counts.get(name) ?? 0;
}

function valueNamed(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name);
  if (!value) throw new Inexpressible(`it reads '${showText(name)}', which no operation before it computes`);
  return value;
}

function compute(operands: MapOperands): Value {
  const { node, inputs } = operands;
  if (inputs.some(isMap)) {
    const operation = Object.hasOwn(mapOperations, node.op) ? mapOperations[node.op] : undefined;
    if (operation) return operation(operands);
    throw new Inexpressible('it is none of the operations of style networks');
  }
  const known = inputs as readonly (Known | undefined)[];
  if (known[0]?.slopes && /^(Quantize|Dequantize)Linear$/.test(node.op)) return known[0];
  const operation: KnownOperation | undefined = Object.hasOwn(knownOperations, node.op)
    ? knownOperations[node.op]
    : undefined;
  if (operation) return operation(node, ...known);
  throw new Inexpressible('it is none of the operations of constants that readers know');
}

function finish(
  model: OnnxModel,
  values: ReadonlyMap<string, Value>,
  builder: NetworkBuilder,
  options: OnnxNetworkOptions,
): OnnxNetwork {
  const output = valueNamed(values, model.outputs[0]?.name ?? '');
  if (!isMap(output)) throw new Inexpressible('it does not depend on the image');
  const { name = 'onnx' } = options;
  if (isPooled(output.expression) || output.map.height === 1) {
    builder.mapOf(output);
    const range = options.inputRange ?? [0, 1];
    const steps = builder.steps as readonly PredictorStep[];
    const size = sizeOfImage(model);
    const predictor = { name, size, input: inputOf(builder, range), steps };
    return { kind: 'predictor', predictor, weights: builder.weights };
  }
  const last = affineOf(output.expression);
  const { scale, shift } = last ?? { scale: constant([1]), shift: constant([0]) };
  const map = last ? output.map : builder.mapOf({ ...output, clip: undefined });
  if (map.channels !== 3) throw new Inexpressible(`it has ${map.channels} channels`);
  const outputRange = options.outputRange ?? usualRange(builder.steps.at(-1)?.op, output, options);
  requireWhole(output, outputRange);
  const [low, high] = outputRange;
  const factors = perChannel(numbersOf(scale, 'a scale'), 3).map((factor) => factor / (high - low));
  const offsets = perChannel(numbersOf(shift, 'a shift'), 3).map((offset) => (offset - low) / (high - low));
  const network = {
    name,
    input: inputOf(builder, options.inputRange ?? outputRange),
    steps: builder.steps as readonly GeneratorStep[],
    output: { scale: triple(factors), offset: triple(offsets) },
  };
  return { kind: 'generator', network, weights: builder.weights, vectorLength: builder.vectorLength };
}

/** A picture in [0,1] as the graph's input: first in its range, then as the graph scales it. */
function inputOf({ input }: NetworkBuilder, [low, high]: ValueRange): Normalization {
  const { scale, shift } = input ?? { scale: [1, 1, 1], shift: [0, 0, 0] };
  return {
    scale: triple(scale.map((factor) => factor * (high - low))),
    offset: triple(scale.map((factor, i) => factor * low + shift[i])),
  };
}

const triple = ([r, g, b]: readonly number[]): readonly [number, number, number] => [r, g, b];

/** Height of the style images that a predictor was made for. */
function sizeOfImage({ inputs }: OnnxModel): number {
  const [image] = inputs;
  return Math.max(...image.shape.slice(1).map((extent) => extent ?? someSize));
}

function usualRange(
  op: string | undefined,
  output: MapValue,
  { inputRange }: OnnxNetworkOptions,
): ValueRange {
  if (output.clip) return output.clip;
  const plain = affineOf(output.expression);
  const unscaled =
    !plain || (plain.scale.values.every((v) => v === 1) && plain.shift.values.every((v) => v === 0));
  if (unscaled && op === 'sigmoid') return [0, 1];
  if (unscaled && op === 'tanh') return [-1, 1];
  if (inputRange) return inputRange;
  const accepted = 'the values of black and white, such as [0, 255] or [-1, 1]';
  throw new InvalidArgumentError(
    'MISSING_ARGUMENT',
    `The range of the network's output is not known, because it ends with no sigmoid or tanh: give outputRange, ${accepted}.`,
    { option: 'outputRange', accepted },
  );
}

/** A generator's output is clipped to black and white, so a graph may clip to these as well, but to nothing less. */
function requireWhole({ clip }: MapValue, [low, high]: ValueRange): void {
  if (!clip || (clip[0] <= low && clip[1] >= high)) return;
  throw new Inexpressible(`values clipped to [${clip}], less than [${low}, ${high}]`);
}
