import type { GeneratorNetwork, GeneratorStep } from '../../features/generator-network';
import type { Normalization } from '../../features/network';
import { paddings } from '../../features/padding';
import type { PredictorStep, StylePredictor } from '../../features/style-predictor';
import { showText, showValue } from '../../options/show';
import { field } from '../../weights/json';

/**
 * A generator's network from parsed JSON, which is from outside: fields that a step does not have are left out.
 *
 * @param refuse makes the error of what is wrong and what is accepted
 */
export function networkFrom(json: unknown, refuse: Refuse): GeneratorNetwork {
  return {
    ...beginningFrom(json, refuse),
    steps: stepsFrom<GeneratorStep>(json, generatorFields, refuse),
    output: conversionFrom(json, 'output', refuse),
  };
}

/** A network that finds style vectors, from parsed JSON. */
export function predictorFrom(json: unknown, refuse: Refuse): StylePredictor {
  const size = field(json, 'size');
  if (!Number.isInteger(size) || (size as number) < 1 || (size as number) > 4096)
    throw refuse(`the predictor's size is ${showValue(size)}`, 'a whole number from 1 to 4096');
  return {
    ...beginningFrom(json, refuse),
    size: size as number,
    steps: stepsFrom<PredictorStep>(json, predictorFields, refuse),
  };
}

type Refuse = (what: string, accepted: string) => Error;

function beginningFrom(json: unknown, refuse: Refuse): Pick<GeneratorNetwork, 'name' | 'input'> {
  const name = field(json, 'name');
  if (!isName(name)) throw refuse(`the network's name is ${showValue(name)}`, 'a text');
  return { name, input: conversionFrom(json, 'input', refuse) };
}

function conversionFrom(json: unknown, of: 'input' | 'output', refuse: Refuse): Normalization {
  const found = field(json, of);
  const [scale, offset] = [field(found, 'scale'), field(found, 'offset')];
  if (isRgb(scale) && isRgb(offset)) return { scale, offset };
  throw refuse(`its ${of} is ${showValue(found)}`, 'scale and offset of three numbers each');
}

function stepsFrom<Step extends GeneratorStep | PredictorStep>(
  json: unknown,
  fieldsOf: FieldsOf<Step>,
  refuse: Refuse,
): readonly Step[] {
  const steps = field(json, 'steps');
  if (!Array.isArray(steps) || steps.length > mostSteps)
    throw refuse(`its steps are ${showValue(steps)}`, `a list of at most ${mostSteps}`);
  return steps.map((step) => stepFrom(step, fieldsOf, refuse));
}

function stepFrom<Step extends GeneratorStep | PredictorStep>(
  json: unknown,
  fieldsOf: FieldsOf<Step>,
  refuse: Refuse,
): Step {
  const op = field(json, 'op');
  const fields =
    typeof op === 'string' && Object.hasOwn(fieldsOf, op) ? fieldsOf[op as Step['op']] : undefined;
  const name = field(json, 'name');
  if (!isName(name)) throw refuse(`a step's name is ${showValue(name)}`, 'a text');
  if (!fields) throw refuse(`step ${showText(name)} is ${showValue(op)}`, Object.keys(fieldsOf).join(', '));
  const step: Record<string, unknown> = { op, name };
  for (const [key, { test, accepted, optional }] of Object.entries<Field>({
    from: optionally(text),
    ...fields,
  })) {
    const value = field(json, key);
    if (value === undefined && optional) continue;
    if (!test(value)) throw refuse(`${key} of step ${showText(name)} is ${showValue(value)}`, accepted);
    step[key] = value;
  }
  return step as unknown as Step;
}

/** A field of a step in a file. */
interface Field {
  readonly test: (value: unknown) => boolean;
  readonly accepted: string;
  readonly optional?: boolean;
}

const mostSteps = 4096;

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256;

const isRgb = (value: unknown): value is Normalization['scale'] =>
  Array.isArray(value) && value.length === 3 && value.every(Number.isFinite);

const whole = (min: number, max: number): Field => ({
  test: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  accepted: `a whole number from ${min} to ${max}`,
});

const text: Field = { test: isName, accepted: 'a text' };

const channels = whole(1, 2 ** 14);

const optionally = (field: Field): Field => ({ ...field, optional: true });

const oneOf = (values: readonly unknown[]): Field => ({
  test: (value) => values.includes(value),
  accepted: values.join(', '),
});

const pair: Field = {
  test: (value) => Array.isArray(value) && value.length === 2 && value.every((one) => whole(0, 64).test(one)),
  accepted: 'two whole numbers from 0 to 64',
};

const finite: Field = { test: Number.isFinite, accepted: 'a finite number' };

const positive: Field = {
  test: (value) => Number.isFinite(value) && (value as number) > 0,
  accepted: 'a number above 0',
};

const none = {};

/** The fields of each operation beside its name and the step that it reads. */
type FieldsOf<Step extends { readonly op: string }> = Readonly<
  Record<Step['op'], Readonly<Record<string, Field>>>
>;

const conv = {
  channelsIn: channels,
  channelsOut: channels,
  size: whole(1, 63),
  stride: optionally(oneOf([1, 2])),
  padding: oneOf(paddings),
  pads: optionally(pair),
  kernel: text,
  bias: optionally(text),
};

const ofBoth = {
  relu: none,
  leakyRelu: { slope: optionally(finite) },
  sigmoid: none,
  tanh: none,
  add: { with: text },
};

const generatorFields: FieldsOf<GeneratorStep> = {
  conv,
  transposedConv: {
    channelsIn: channels,
    channelsOut: channels,
    size: whole(2, 63),
    pad: whole(0, 61),
    kernel: text,
    bias: optionally(text),
  },
  instanceNorm: { channels, scale: text, shift: text, epsilon: optionally(positive) },
  ...ofBoth,
  concat: { with: text },
  upsample: none,
  averagePool: { factor: whole(1, 64) },
  noise: { channels },
};

const predictorFields: FieldsOf<PredictorStep> = {
  conv,
  depthwiseConv: {
    channels,
    size: whole(1, 63),
    stride: optionally(oneOf([1, 2])),
    pads: pair,
    kernel: text,
    bias: optionally(text),
  },
  ...ofBoth,
  relu6: none,
  globalAveragePool: none,
};
