import { isShape } from '../../../weights/json';
import { sizeOf } from '../../../weights/tensor-file';
import {
  add,
  apply,
  concat,
  constant,
  Inexpressible,
  type Known,
  matrixProduct,
  multiply,
  numbersOf,
  reshape,
  slice,
  sumOver,
  take,
  transpose,
} from './known';
import type { OnnxNode } from './model';

/** ONNX operations on tensors that do not depend on the image. */
export type KnownOperation = (node: OnnxNode, ...inputs: (Known | undefined)[]) => Known;

/** An integer of a node, which may be left out. */
export const integerOf = (node: OnnxNode, name: string, otherwise: number): number =>
  node.attributes.get(name)?.number ?? otherwise;

/** Numbers that newer versions of an operation take as an input and older ones as an attribute. */
export const listOf = (node: OnnxNode, name: string, input?: Known): readonly number[] | undefined =>
  input ? numbersOf(input, name) : node.attributes.get(name)?.numbers;

/** An axis counted from the first. */
export const axisFrom = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

function required(input: Known | undefined, node: OnnxNode): Known {
  if (input) return input;
  throw new Inexpressible(`${node.op} lacks an input`);
}

/** An operation of one input. */
const unary =
  (f: (input: Known, node: OnnxNode, ...more: (Known | undefined)[]) => Known): KnownOperation =>
  (node, input, ...more) =>
    f(required(input, node), node, ...more);

const binary =
  (f: (a: Known, b: Known) => Known): KnownOperation =>
  (node, a, b) =>
    f(required(a, node), required(b, node));

/** A scale or zero point for each index of an axis, in a shape that fits a tensor. */
function alongAxis(factors: Known, to: Known, node: OnnxNode): Known {
  if (factors.values.length === 1) return reshape(factors, []);
  const axis = axisFrom(integerOf(node, 'axis', 1), to.shape.length);
  return reshape(
    factors,
    to.shape.map((_, i) => (i === axis ? -1 : 1)),
  );
}

export const knownOperations: Readonly<Record<string, KnownOperation>> = {
  Add: binary(add),
  Sub: binary((a, b) => add(a, b, -1)),
  Mul: binary(multiply),
  Div: binary((a, b) =>
    multiply(
      a,
      apply(b, (value) => 1 / value),
    ),
  ),
  Pow: binary((a, b) => apply(a, (value) => value ** numbersOf(b, 'the exponent')[0])),
  Sqrt: unary((a) => apply(a, Math.sqrt)),
  Reciprocal: unary((a) => apply(a, (value) => 1 / value)),
  Neg: unary((a) => multiply(a, constant([-1], []))),
  Floor: unary((a) => apply(a, Math.floor)),
  Ceil: unary((a) => apply(a, Math.ceil)),
  Identity: unary((a) => a),
  Dropout: unary((a) => a),
  Cast: unary((a, node) => (integerTypes.has(integerOf(node, 'to', 1)) ? apply(a, Math.trunc) : a)),
  Constant: (node) => {
    const { tensor } = node.attributes.get('value') ?? {};
    if (tensor) return tensor;
    const scalar = node.attributes.get('value_float') ?? node.attributes.get('value_int');
    if (scalar?.number !== undefined) return constant([scalar.number], []);
    const list = node.attributes.get('value_floats') ?? node.attributes.get('value_ints');
    if (list?.numbers) return constant(list.numbers);
    throw new Inexpressible('a Constant that is not made of numbers');
  },
  ConstantOfShape: unary((shape, node) => {
    const extents = numbersOf(shape, 'the shape');
    if (!isShape(extents)) throw new Inexpressible(`a constant of the shape [${extents}]`);
    const value = node.attributes.get('value')?.tensor?.values[0] ?? 0;
    return { shape: extents, values: new Float64Array(sizeOf(extents)).fill(value) };
  }),
  Reshape: unary((a, node, shape) => reshape(a, listOf(node, 'shape', shape) ?? [])),
  Flatten: unary((a, node) => reshape(a, [sizeOf(a.shape.slice(0, integerOf(node, 'axis', 1))), -1])),
  Unsqueeze: unary((a, node, input) => {
    const axes = listOf(node, 'axes', input) ?? [];
    const rank = a.shape.length + axes.length;
    const added = new Set(axes.map((axis) => axisFrom(axis, rank)));
    const rest = [...a.shape];
    return reshape(
      a,
      Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1))),
    );
  }),
  Squeeze: unary((a, node, input) => {
    const axes = listOf(node, 'axes', input)?.map((axis) => axisFrom(axis, a.shape.length));
    return reshape(
      a,
      a.shape.filter((extent, axis) => !(axes ? axes.includes(axis) : extent === 1)),
    );
  }),
  Transpose: unary((a, node) =>
    transpose(a, node.attributes.get('perm')?.numbers ?? a.shape.map((_, i) => a.shape.length - 1 - i)),
  ),
  Slice: unary((a, node, startInput, endInput, axesInput, stepInput) => {
    const starts = listOf(node, 'starts', startInput) ?? [];
    const ends = listOf(node, 'ends', endInput) ?? [];
    const axes = listOf(node, 'axes', axesInput) ?? starts.map((_, i) => i);
    const steps = listOf(node, 'steps', stepInput) ?? starts.map(() => 1);
    const ranges = starts.map((start, i) => {
      const axis = axisFrom(axes[i], a.shape.length);
      return { axis, start, end: ends[i], step: steps[i] };
    });
    return slice(a, ranges);
  }),
  Gather: unary((a, node, indices) => {
    const axis = axisFrom(integerOf(node, 'axis', 0), a.shape.length);
    const wanted = required(indices, node);
    const chosen = a.shape.map((extent, i) =>
      i === axis
        ? numbersOf(wanted, 'the index').map((index) => axisFrom(index, extent))
        : Array.from({ length: extent }, (_, at) => at),
    );
    return reshape(take(a, chosen), [...a.shape.slice(0, axis), ...wanted.shape, ...a.shape.slice(axis + 1)]);
  }),
  Concat: (node, ...parts) => {
    const all = parts.map((part) => required(part, node));
    return concat(all, axisFrom(integerOf(node, 'axis', 0), all[0].shape.length));
  },
  ReduceSum: unary((a, node, axes) =>
    sumOver(
      a,
      (listOf(node, 'axes', axes) ?? a.shape.map((_, i) => i)).map((axis) => axisFrom(axis, a.shape.length)),
      integerOf(node, 'keepdims', 1) === 1,
    ),
  ),
  MatMul: binary((a, b) =>
    a.shape.length === 1 ? reshape(matrixProduct(reshape(a, [1, -1]), b), [-1]) : matrixProduct(a, b),
  ),
  Gemm: (node, a, b, c) => {
    const turned = (input: Known | undefined, name: string) =>
      integerOf(node, name, 0) === 1 ? transpose(required(input, node), [1, 0]) : required(input, node);
    const alpha = constant([integerOf(node, 'alpha', 1)], []);
    const product = multiply(matrixProduct(turned(a, 'transA'), turned(b, 'transB')), alpha);
    return c ? add(product, multiply(c, constant([integerOf(node, 'beta', 1)], []))) : product;
  },
  // Of a picture of one pixel, as Magenta's networks compute scales and shifts from a vector.
  Conv: unary((a, node, weights, bias) => {
    const kernel = required(weights, node);
    if (sizeOf(kernel.shape) !== kernel.shape[0] * kernel.shape[1] || a.values.length !== kernel.shape[1])
      throw new Inexpressible(`a convolution of a vector by [${kernel.shape}]`);
    const matrix = transpose(reshape(kernel, kernel.shape.slice(0, 2)), [1, 0]);
    const product = matrixProduct(reshape(a, [1, -1]), matrix);
    return reshape(bias ? add(product, bias) : product, [1, -1, 1, 1]);
  }),
  DequantizeLinear: unary((a, node, scale, zero) => {
    const shifted = zero ? add(a, alongAxis(zero, a, node), -1) : a;
    return multiply(shifted, alongAxis(required(scale, node), a, node));
  }),
};

/** Numbers of TensorProto.DataType that hold integers. */
const integerTypes = new Set([2, 3, 4, 5, 6, 7, 12, 13]);
