import type { NamedTensor } from '../../../weights/tensor-file';
import { Inexpressible, type Known } from './known';
import { integerOf } from './known-operations';
import { known, type MapOperands } from './map-operands';
import type { OnnxNode } from './model';
import { asValue, type Border, type MapValue, type Step } from './network-builder';

/** A convolution of a map with the border before it, as a step. */
export function appendConvolution(operands: MapOperands, value: MapValue): MapValue {
  const { node, builder, readers } = operands;
  const map = builder.mapOf({ ...value, border: undefined });
  const kernel = known(operands, 1);
  const [channelsOut, channelsIn] = kernel.shape;
  const size = kernelSize(node, kernel);
  const stride = strideOf(node, [1, 2]);
  const group = integerOf(node, 'group', 1);
  const { padding, pads } = borderOf(node, value.border, size, stride);
  const [height, width] = [map.height, map.width].map(
    (extent) => Math.floor((extent + pads[0] + pads[1] - size) / stride) + 1,
  );
  const change = { channels: channelsOut, height, width, readers };
  const strides = stride === 1 ? {} : { stride: 2 as const };
  if (group === map.channels && group === channelsOut && channelsIn === 1 && group > 1) {
    if (padding !== 'zero') throw new Inexpressible(`a convolution by channels with a border by ${padding}`);
    const channels = channelsOut;
    const tensors = store(operands, 'depthwiseConv', kernel, [2, 3, 0, 1]);
    return asValue(
      builder.append({ op: 'depthwiseConv', channels, size, ...strides, pads, ...tensors }, map, change),
      value.axis,
    );
  }
  if (group !== 1) throw new Inexpressible(`a convolution in ${group} groups`);
  const usual = pads.every((pad) => pad === (size - 1) / 2);
  const tensors = store(operands, 'conv', kernel, [2, 3, 1, 0]);
  const step = { op: 'conv', channelsIn, channelsOut, size, ...strides, padding, ...tensors } as const;
  return asValue(builder.append(usual ? step : { ...step, pads }, map, change), value.axis);
}

/** A transposed convolution that doubles height and width, as a step. */
export function appendTransposedConvolution(operands: MapOperands, value: MapValue): MapValue {
  const { node, builder, readers } = operands;
  const map = builder.mapOf(value);
  const kernel = known(operands, 1);
  const [channelsIn, channelsOut] = kernel.shape;
  const size = kernelSize(node, kernel);
  strideOf(node, [2]);
  const list = (name: string, otherwise: readonly number[]) =>
    node.attributes.get(name)?.numbers ?? otherwise;
  const pads = list('pads', [0, 0, 0, 0]);
  const added = list('output_padding', [0, 0]);
  const [pad] = pads;
  // The output has 2 (n - 1) + size + added - pads positions.
  const doubles = [0, 1].every((axis) => size + added[axis] - pads[axis] - pads[axis + 2] === 2);
  if (integerOf(node, 'group', 1) !== 1 || pad !== pads[1] || !doubles || node.attributes.has('output_shape'))
    throw new Inexpressible(
      `a transposed convolution of size ${size} with pads [${pads}] and output padding [${added}]`,
    );
  const step = {
    op: 'transposedConv',
    channelsIn,
    channelsOut,
    size,
    pad,
    ...store(operands, 'transposedConv', kernel, [2, 3, 0, 1]),
  } as const;
  const change = { channels: channelsOut, height: 2 * map.height, width: 2 * map.width, readers };
  return asValue(builder.append(step, map, change), value.axis);
}

/** Stores kernel and bias of the step that follows. @param order the axes of rows, columns, input, output */
function store(operands: MapOperands, op: Step['op'], kernel: Known, order: readonly number[]) {
  const { builder, inputs } = operands;
  const bias = inputs[2] ? known(operands, 2) : undefined;
  if (kernel.slopes || bias?.slopes) throw new Inexpressible('a convolution that depends on the condition');
  const name = builder.store(op, 'kernel', inOrder(kernel, order));
  if (!bias) return { kernel: name };
  const values = Float32Array.from(bias.values);
  return { kernel: name, bias: builder.store(op, 'bias', { shape: [values.length], values }) };
}

/** A tensor with its axes in another order. */
function inOrder({ shape, values }: Known, order: readonly number[]): NamedTensor {
  const turned = order.map((axis) => shape[axis]);
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  const [s0, s1, s2, s3] = order.map((axis) => strides[axis]);
  const result = new Float32Array(values.length);
  let at = 0;
  for (let i = 0; i < turned[0]; i++)
    for (let j = 0; j < turned[1]; j++)
      for (let k = 0; k < turned[2]; k++)
        for (let l = 0; l < turned[3]; l++) result[at++] = values[i * s0 + j * s1 + k * s2 + l * s3];
  return { shape: turned, values: result };
}

function kernelSize(node: OnnxNode, { shape }: Known): number {
  const dilated = node.attributes.get('dilations')?.numbers?.some((dilation) => dilation !== 1);
  if (shape.length === 4 && shape[2] === shape[3] && !dilated) return shape[2];
  throw new Inexpressible(`${node.op} with a kernel [${shape}]${dilated ? ', dilated' : ''}`);
}

function strideOf<T extends number>(node: OnnxNode, accepted: readonly T[]): T {
  const strides = node.attributes.get('strides')?.numbers ?? [1, 1];
  const stride = accepted.find((stride) => strides.every((own) => own === stride));
  if (stride === undefined) throw new Inexpressible(`${node.op} with strides [${strides}]`);
  return stride;
}

/** What stands around the input of a convolution: the border before it, or its own of zeros. */
function borderOf(node: OnnxNode, border: Border | undefined, size: number, stride: number): Border {
  const automatic = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
  const total = size - stride;
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
  const same = { SAME_UPPER: [less, more], SAME_LOWER: [more, less] }[automatic];
  const [top, left, bottom, right] = same
    ? [same[0], same[0], same[1], same[1]]
    : (node.attributes.get('pads')?.numbers ?? [0, 0, 0, 0]);
  if (top !== left || bottom !== right)
    throw new Inexpressible(`${node.op} with pads [${top}, ${left}, ${bottom}, ${right}]`);
  if (!border) return { padding: 'zero', pads: [top, bottom] };
  if (top === 0 && bottom === 0) return border;
  if (border.padding !== 'zero') throw new Inexpressible(`${node.op} with two kinds of border`);
  return { padding: 'zero', pads: [border.pads[0] + top, border.pads[1] + bottom] };
}
