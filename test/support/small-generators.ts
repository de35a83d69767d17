import type { GeneratorNetwork, GeneratorStep } from '../../src/features/generator-network';
import { generatorParameters } from '../../src/features/generator-parameters';
import type { Padding } from '../../src/features/padding';
import { type NamedTensors, sizeOf } from '../../src/weights/tensor-file';

/** Networks that have every operation in the company in which it is compiled differently. */
export const smallGenerators: Readonly<Record<string, GeneratorNetwork>> = {
  'residual blocks, halvings and doublings': network([
    ...conv('enter', 3, 8, 9, 'reflect'),
    relu('enter.relu'),
    ...conv('down', 8, 16, 3, 'reflect', 2),
    relu('down.relu'),
    ...conv('down2', 16, 16, 3, 'reflect', 2),
    relu('down2.relu'),
    ...conv('a1', 16, 16, 3, 'reflect'),
    relu('a1.relu'),
    ...conv('a2', 16, 16, 3, 'reflect'),
    { op: 'add', name: 'a', with: 'down2.relu' },
    ...conv('b1', 16, 16, 3, 'reflect'),
    relu('b1.relu'),
    ...conv('b2', 16, 16, 3, 'reflect'),
    { op: 'add', name: 'b', with: 'a' },
    { op: 'upsample', name: 'up1.large' },
    ...conv('up1', 16, 16, 3, 'reflect'),
    relu('up1.relu'),
    { op: 'add', name: 'skip', with: 'down.relu' },
    { op: 'upsample', name: 'up2.large' },
    ...conv('up2', 16, 8, 3, 'reflect'),
    relu('up2.relu'),
    plain('leave', 8, 3, 9, 'reflect'),
    { op: 'sigmoid', name: 'image' },
  ]),
  'pyramids of the image and noise': network([
    { op: 'averagePool', name: 'small', from: 'input', factor: 4 },
    { op: 'noise', name: 'small.noise', channels: 3 },
    { op: 'concat', name: 'small.both', from: 'small', with: 'small.noise' },
    ...conv('small.a', 6, 8, 3, 'zero'),
    leaky('small.a.relu'),
    ...conv('small.b', 8, 8, 1, 'zero'),
    leaky('small.b.relu'),
    { op: 'upsample', name: 'larger' },
    { op: 'instanceNorm', name: 'larger.norm', channels: 8, scale: 'larger.scale', shift: 'larger.shift' },
    { op: 'averagePool', name: 'middle', from: 'input', factor: 2 },
    { op: 'noise', name: 'middle.noise', channels: 2 },
    { op: 'concat', name: 'middle.both', from: 'middle', with: 'middle.noise' },
    ...conv('middle.a', 5, 8, 3, 'replicate'),
    leaky('middle.a.relu'),
    { op: 'concat', name: 'joined', from: 'larger.norm', with: 'middle.a.relu' },
    ...conv('joined.a', 16, 16, 3, 'zero'),
    leaky('joined.a.relu'),
    { op: 'upsample', name: 'large' },
    plain('leave', 16, 3, 1, 'zero'),
  ]),
  'transposed convolutions': network([
    ...conv('enter', 3, 6, 5, 'replicate', 2, [1, 2]),
    relu('enter.relu'),
    ...conv('down', 6, 12, 3, 'zero', 2, [0, 1]),
    relu('down.relu'),
    ...transposed('up', 12, 6, 3, 1),
    relu('up.relu'),
    { op: 'add', name: 'skip', with: 'enter.relu' },
    ...transposed('up2', 6, 5, 4, 1),
    { op: 'tanh', name: 'up2.tanh' },
    plain('leave', 5, 3, 3, 'replicate'),
    { op: 'tanh', name: 'image' },
  ]),
  'channels enough for Winograd, and kernels of every size': network([
    plain('five', 3, 16, 5, 'replicate'),
    ...conv('zero', 16, 24, 3, 'zero'),
    ...conv('reflect', 24, 20, 3, 'reflect'),
    relu('reflect.relu'),
    ...conv('replicate', 20, 16, 3, 'replicate'),
    leaky('replicate.relu'),
    plain('seven', 16, 12, 7, 'zero'),
    { op: 'sigmoid', name: 'seven.sigmoid' },
    plain('nine', 12, 3, 9, 'reflect'),
  ]),
  'two convolutions that read one step': network([
    ...conv('enter', 3, 8, 3, 'reflect'),
    relu('enter.relu'),
    plain('shortcut', 8, 8, 1, 'zero'),
    { ...plain('a', 8, 8, 9, 'reflect'), from: 'enter.relu' },
    relu('a.relu'),
    ...conv('a2', 8, 8, 3, 'reflect'),
    { op: 'add', name: 'sum', with: 'shortcut' },
    relu('sum.relu'),
    plain('leave', 8, 3, 3, 'reflect'),
  ]),
  'functions of sums and of the image': network([
    { op: 'relu', name: 'bright', from: 'input' },
    plain('first', 3, 3, 3, 'zero'),
    { op: 'add', name: 'sum', with: 'bright' },
    { op: 'relu', name: 'sum.relu' },
    { op: 'instanceNorm', name: 'norm', channels: 3, scale: 'norm.scale', shift: 'norm.shift' },
    {
      op: 'instanceNorm',
      name: 'image.norm',
      from: 'input',
      channels: 3,
      scale: 'image.scale',
      shift: 'image.shift',
    },
    { op: 'add', name: 'both', with: 'norm' },
    { op: 'averagePool', name: 'pooled', factor: 2 },
    { op: 'upsample', name: 'enlarged' },
    { op: 'add', name: 'last', with: 'both' },
    { op: 'upsample', name: 'huge' },
    { op: 'upsample', name: 'huger' },
    plain('down', 3, 7, 3, 'reflect', 2),
    { op: 'leakyRelu', name: 'down.relu', slope: 0.2 },
    plain('down2', 7, 3, 1, 'zero', 2),
    { op: 'add', name: 'twice', with: 'down2' },
  ]),
};

/** Weights of a network: numbers of a linear congruential generator, as large as keeps maps at their size. */
export function smallWeights(network: GeneratorNetwork, seed = 1): NamedTensors {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (2 * state) / 2 ** 32 - 1;
  };
  return new Map(
    generatorParameters(network).map(({ name, shape }) => {
      const inputs = shape.length === 4 ? shape[0] * shape[1] * shape[2] : 4;
      const middle = name.endsWith('scale') ? 1 : 0;
      const values = Float32Array.from(
        { length: sizeOf(shape) },
        () => middle + next() * Math.sqrt(3 / inputs),
      );
      return [name, { shape, values }];
    }),
  );
}

function network(steps: readonly GeneratorStep[]): GeneratorNetwork {
  return {
    name: 'small',
    input: { scale: [4, 4.5, 5], offset: [-2, -2.1, -2.2] },
    steps,
    output: { scale: [0.4, 0.5, 0.6], offset: [0.4, 0.3, 0.2] },
  };
}

function plain(
  name: string,
  channelsIn: number,
  channelsOut: number,
  size: number,
  padding: Padding,
  stride: 1 | 2 = 1,
): GeneratorStep {
  return {
    op: 'conv',
    name,
    channelsIn,
    channelsOut,
    size,
    stride,
    padding,
    kernel: `${name}.kernel`,
    bias: `${name}.bias`,
  };
}

function conv(
  name: string,
  channelsIn: number,
  channelsOut: number,
  size: number,
  padding: Padding,
  stride: 1 | 2 = 1,
  pads?: readonly [number, number],
): GeneratorStep[] {
  return [
    { op: 'conv', name, channelsIn, channelsOut, size, stride, padding, pads, kernel: `${name}.kernel` },
    {
      op: 'instanceNorm',
      name: `${name}.norm`,
      channels: channelsOut,
      scale: `${name}.scale`,
      shift: `${name}.shift`,
    },
  ];
}

function transposed(
  name: string,
  channelsIn: number,
  channelsOut: number,
  size: number,
  pad: number,
): GeneratorStep[] {
  return [
    {
      op: 'transposedConv',
      name,
      channelsIn,
      channelsOut,
      size,
      pad,
      kernel: `${name}.kernel`,
      bias: `${name}.bias`,
    },
    {
      op: 'instanceNorm',
      name: `${name}.norm`,
      channels: channelsOut,
      scale: `${name}.scale`,
      shift: `${name}.shift`,
    },
  ];
}

function relu(name: string): GeneratorStep {
  return { op: 'relu', name };
}

function leaky(name: string): GeneratorStep {
  return { op: 'leakyRelu', name };
}
