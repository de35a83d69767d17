import type { GeneratorNetwork, GeneratorStep } from '../../features/generator-network';
import type { Normalization } from '../../features/network';
import { paddings } from '../../features/padding';
import { showText, showValue } from '../../options/show';
import { field } from '../../weights/json';

/**
 * A generator's network from parsed JSON, which is from outside: fields that a step does not have are left out.
 *
 * @param refuse makes the error of what is wrong and what is accepted
 */
export function networkFrom(
  json: unknown,
  refuse: (what: string, accepted: string) => Error,
): GeneratorNetwork {
  const name = field(json, 'name');
  if (!isName(name)) throw refuse(`the network's name is ${showValue(name)}`, 'a text');
  const steps = field(json, 'steps');
  if (!Array.isArray(steps) || steps.length > mostSteps)
    throw refuse(`its steps are ${showValue(steps)}`, `a list of at most ${mostSteps}`);
  const conversion = (of: 'input' | 'output') => {
    const found = field(json, of);
    const [scale, offset] = [field(found, 'scale'), field(found, 'offset')];
    if (isRgb(scale) && isRgb(offset)) return { scale, offset };
    throw refuse(`its ${of} is ${showValue(found)}`, 'scale and offset of three numbers each');
  };
  return {
    name,
    input: conversion('input'),
    steps: steps.map((step) => stepFrom(step, refuse)),
    output: conversion('output'),
  };
}

function stepFrom(json: unknown, refuse: (what: string, accepted: string) => Error): GeneratorStep {
  const op = field(json, 'op');
  const fields =
    typeof op === 'string' && Object.hasOwn(fieldsOf, op) ? fieldsOf[op as GeneratorStep['op']] : undefined;
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
  return step as unknown as GeneratorStep;
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
const fieldsOf: Readonly<Record<GeneratorStep['op'], Readonly<Record<string, Field>>>> = {
  conv: {
    channelsIn: channels,
    channelsOut: channels,
    size: whole(1, 63),
    stride: optionally(oneOf([1, 2])),
    padding: oneOf(paddings),
    pads: optionally(pair),
    kernel: text,
    bias: optionally(text),
  },
  transposedConv: {
    channelsIn: channels,
    channelsOut: channels,
    size: whole(2, 63),
    pad: whole(0, 61),
    kernel: text,
    bias: optionally(text),
  },
  instanceNorm: { channels, scale: text, shift: text, epsilon: optionally(positive) },
  relu: none,
  leakyRelu: { slope: optionally(finite) },
  sigmoid: none,
  tanh: none,
  add: { with: text },
  concat: { with: text },
  upsample: none,
  averagePool: { factor: whole(1, 64) },
  noise: { channels },
};
