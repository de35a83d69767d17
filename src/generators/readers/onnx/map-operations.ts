import {
  type Expression,
  instanceNorm,
  isPooled,
  meanOf,
  ofKnown,
  product,
  reciprocal,
  squareRoot,
  sum,
} from './expression';
import { add, apply, constant, Inexpressible, type Known, multiply, numbersOf, reshape } from './known';
import { axisFrom, integerOf, listOf } from './known-operations';
import { appendConvolution, appendTransposedConvolution } from './map-convolutions';
import { isMap, known, type MapOperands, mapAt, type Value } from './map-operands';
import { asValue, type MapValue, type StepMap } from './network-builder';

/** ONNX operations of which an input is a feature map. */
export const mapOperations: Readonly<Record<string, (operands: MapOperands) => Value>> = {
  Add: (operands) => arithmetic(operands, (a, b) => sum(a, b)),
  Sub: (operands) => arithmetic(operands, (a, b) => sum(a, b, -1)),
  Mul: (operands) => arithmetic(operands, product),
  Div: (operands) =>
    arithmetic(operands, (a, b) => {
      const divisor = b.get('');
      return product(
        a,
        b.size === 1 && divisor ? ofKnown(apply(divisor, (value) => 1 / value)) : reciprocal(b),
      );
    }),
  Neg: (operands) => change(operands, (a) => product(a, ofKnown(constant([-1])))),
  Sqrt: (operands) => change(operands, squareRoot),
  Reciprocal: (operands) => change(operands, reciprocal),
  Pow(operands) {
    const [exponent] = numbersOf(known(operands, 1), 'the exponent');
    const power = { 2: (a: Expression) => product(a, a), 0.5: squareRoot }[exponent];
    if (power) return change(operands, power);
    if (exponent === -0.5) return change(operands, (a) => reciprocal(squareRoot(a)));
    throw new Inexpressible(`a power of ${exponent}`);
  },
  GlobalAveragePool: (operands) => change(operands, meanOf),
  ReduceMean(operands) {
    const value = mapAt(operands, 0);
    const axes = listOf(operands.node, 'axes', operands.inputs[1] as Known | undefined) ?? [];
    const spatial = value.axis === 1 ? [2, 3] : [1, 2];
    const found = axes.map((axis) => axisFrom(axis, 4)).sort();
    if (found.join() !== spatial.join())
      throw new Inexpressible('a mean over other axes than rows and columns');
    return change(operands, meanOf);
  },
  InstanceNormalization(operands) {
    const value = mapAt(operands, 0);
    const norm = instanceNorm(
      parametersAt(operands, 1),
      parametersAt(operands, 2),
      integerOf(operands.node, 'epsilon', 1e-5),
    );
    return { ...asValue(operands.builder.mapOf(value), value.axis), expression: norm };
  },
  BatchNormalization(operands) {
    const epsilon = integerOf(operands.node, 'epsilon', 1e-5);
    const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) => parametersAt(operands, i));
    const factor = multiply(
      scale,
      apply(variance, (number) => 1 / Math.sqrt(number + epsilon)),
    );
    const offset = add(shift, multiply(mean, factor), -1);
    return change(operands, (a) => sum(product(a, ofKnown(factor)), ofKnown(offset)));
  },
  Conv: (operands) => appendConvolution(operands, mapAt(operands, 0)),
  ConvTranspose: (operands) => appendTransposedConvolution(operands, mapAt(operands, 0)),
  Pad(operands) {
    const { node, inputs } = operands;
    const value = mapAt(operands, 0);
    const pads = listOf(node, 'pads', inputs[1] as Known | undefined) ?? [];
    const fill = inputs[2] ? numbersOf(known(operands, 2), 'the value of a border')[0] : 0;
    const mode = node.attributes.get('mode')?.text ?? 'constant';
    const padding = ({ constant: 'zero', reflect: 'reflect', edge: 'replicate' } as const)[mode];
    const spatial = value.axis === 1 ? [2, 3] : [1, 2];
    const around = spatial.map((axis): [number, number] => [pads[axis], pads[axis + 4]]);
    const others = pads.filter((pad, i) => !spatial.includes(i % 4) && pad !== 0);
    if (!padding || pads.length !== 8 || others.length > 0 || fill !== 0)
      throw new Inexpressible(`a border of the mode ${mode} by [${pads}]`);
    if (around[0].join() !== around[1].join()) throw new Inexpressible(`a border of [${pads}]`);
    if (around[0].every((pad) => pad === 0)) return value;
    return { ...asValue(operands.builder.mapOf(value), value.axis), border: { padding, pads: around[0] } };
  },
  Relu: (operands) => step(operands, 'relu'),
  LeakyRelu: (operands) => step(operands, 'leakyRelu', integerOf(operands.node, 'alpha', 0.01)),
  Sigmoid: (operands) => step(operands, 'sigmoid'),
  Tanh: (operands) => step(operands, 'tanh'),
  Clip(operands) {
    const value = mapAt(operands, 0);
    const [min, max] = ['min', 'max'].map((name, i) => {
      const input = operands.inputs[i + 1] as Known | undefined;
      const bound = input ? numbersOf(input, name)[0] : operands.node.attributes.get(name)?.number;
      return bound ?? (i === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    });
    if (min === 0 && max > 1e30) return step(operands, 'relu');
    if (min === 0 && max === 6) return step(operands, 'relu6');
    return { ...value, clip: [min, max] };
  },
  Concat(operands) {
    const { node, builder, inputs, readers } = operands;
    const values = inputs.map((_, i) => mapAt(operands, i));
    const { axis } = values[0];
    if (axisFrom(integerOf(node, 'axis', 1), 4) !== axis || values.some((value) => value.axis !== axis))
      throw new Inexpressible('maps joined along another axis than that of channels');
    const [first, ...others] = values.map((value) => builder.mapOf(value));
    const joined = others.reduce(
      (map, other) =>
        builder.append({ op: 'concat', with: other.step }, map, {
          channels: map.channels + other.channels,
          readers,
        }),
      first,
    );
    return asValue(joined, axis);
  },
  AveragePool(operands) {
    const value = mapAt(operands, 0);
    const { attributes } = operands.node;
    const [size = [], strides = [1, 1], pads = [0]] = ['kernel_shape', 'strides', 'pads'].map(
      (name) => attributes.get(name)?.numbers,
    );
    const [factor] = size;
    if ([...size, ...strides].some((n) => n !== factor) || pads.some((pad) => pad !== 0))
      throw new Inexpressible(`a pooling of [${size}] with strides [${strides}] and pads [${pads}]`);
    const map = operands.builder.mapOf(value);
    const [height, width] = [map.height, map.width].map((extent) => Math.floor(extent / factor));
    const change = { height, width, readers: operands.readers };
    return asValue(operands.builder.append({ op: 'averagePool', factor }, map, change), value.axis);
  },
  Upsample: (operands) => upsample(operands, listOf(operands.node, 'scales', known(operands, 1, true))),
  Resize(operands) {
    const { inputs, node } = operands;
    const value = mapAt(operands, 0);
    // Before version 11: data and scales.
    const scales = inputs.length === 2 ? known(operands, 1) : known(operands, 2, true);
    if (scales && scales.values.length > 0) return upsample(operands, numbersOf(scales, 'the scales'));
    const extents = value.axis === 1 ? [value.map.height, value.map.width] : [];
    const sizes = numbersOf(known(operands, 3), 'the sizes').slice(2);
    if (extents.length === 0) throw new Inexpressible(`${node.op} to sizes in TensorFlow's order`);
    return upsample(operands, [1, 1, ...sizes.map((size, i) => size / extents[i])]);
  },
  Shape(operands) {
    const { map, expression, axis } = mapAt(operands, 0);
    const [height, width] = isPooled(expression) ? [1, 1] : [map.height, map.width];
    return constant(axis === 1 ? [1, map.channels, height, width] : [1, height, width, map.channels]);
  },
  Transpose(operands) {
    const value = mapAt(operands, 0);
    const order = operands.node.attributes.get('perm')?.numbers?.join();
    if (isPooled(value.expression)) return value;
    if (order === '0,2,3,1' && value.axis === 1) return { ...value, axis: 3 };
    if (order === '0,3,1,2' && value.axis === 3) return { ...value, axis: 1 };
    throw new Inexpressible(`axes in the order ${order}`);
  },
  Reshape: pooledOnly,
  Flatten: pooledOnly,
  Squeeze: pooledOnly,
  Unsqueeze: pooledOnly,
  Identity: same,
  Dropout: same,
  Cast: same,
  // Rounding of feature maps to 8 bits, which stands for what other software does to be fast.
  QuantizeLinear: same,
  DequantizeLinear: same,
};

function same(operands: MapOperands): MapValue {
  return mapAt(operands, 0);
}

/** Numbers for each channel are the same in any shape. */
function pooledOnly(operands: MapOperands): MapValue {
  const value = mapAt(operands, 0);
  if (isPooled(value.expression) || (value.map.height === 1 && value.map.width === 1)) return value;
  throw new Inexpressible('a feature map in another shape');
}

/** A function of each value, as a step. */
function step(
  { builder, inputs, node, readers }: MapOperands,
  op: 'relu' | 'leakyRelu' | 'sigmoid' | 'tanh' | 'relu6',
  slope?: number,
): MapValue {
  const value = mapAt({ inputs, node }, 0);
  const map = builder.mapOf(value);
  return asValue(builder.append(slope === undefined ? { op } : { op, slope }, map, { readers }), value.axis);
}

/** An operation on an expression. */
function change(operands: Pick<MapOperands, 'inputs' | 'node'>, f: (a: Expression) => Expression): MapValue {
  const value = plain(mapAt(operands, 0));
  return { ...value, expression: f(value.expression) };
}

/** An operation of two values, at least one of them a map. */
function arithmetic(operands: MapOperands, f: (a: Expression, b: Expression) => Expression): MapValue {
  const [a, b] = operands.inputs;
  const one = plain(isMap(a) ? a : mapAt(operands, 1));
  const of = (value: Value | undefined): Expression => {
    if (isMap(value)) return plain(value).expression;
    if (value) return ofKnown(channelsOf(value, one));
    throw new Inexpressible(`${operands.node.op} lacks an input`);
  };
  if (!isMap(a) || !isMap(b) || a.map.step === b.map.step) return { ...one, expression: f(of(a), of(b)) };
  if (operands.node.op !== 'Add') throw new Inexpressible(`${operands.node.op} of two feature maps`);
  const [first, second] = [a, b].map((value) => operands.builder.mapOf(value));
  const { readers } = operands;
  return asValue(operands.builder.append({ op: 'add', with: second.step }, first, { readers }), a.axis);
}

function plain(value: MapValue): MapValue {
  if (value.border) throw new Inexpressible('a border that no convolution follows');
  if (value.clip) throw new Inexpressible('arithmetic of clipped values');
  return value;
}

/** A tensor that meets a map, as a number for all channels or one for each. */
function channelsOf(value: Known, { map, axis, expression }: MapValue): Known {
  const { length } = value.values;
  const { shape } = value;
  // Shapes meet at their last axes.
  const along = isPooled(expression) || shape[axis - 4 + shape.length] === length;
  if (length === 1 || (length === map.channels && along)) return reshape(value, [-1]);
  throw new Inexpressible(`arithmetic of [${shape}] and a map of ${map.channels} channels`);
}

/** Parameters of a norm. */
function parametersAt(operands: MapOperands, i: number): Known {
  const list = known(operands, i);
  const { channels } = mapAt(operands, 0).map;
  if (list.values.length === channels) return reshape(list, [-1]);
  throw new Inexpressible(`a norm of ${list.values.length} parameters and ${channels} channels`);
}

/** Doubling by repeated values, once or more often. */
function upsample(operands: MapOperands, scales: readonly number[] = []): MapValue {
  const { node, builder, readers } = operands;
  const value = mapAt(operands, 0);
  const text = (name: string) => node.attributes.get(name)?.text;
  const spatial = value.axis === 1 ? [2, 3] : [1, 2];
  const [vertical, horizontal] = spatial.map((axis) => scales[axis]);
  const doublings = Math.log2(vertical);
  const others = scales.some((scale, axis) => !spatial.includes(axis) && scale !== 1);
  const mode = text('mode') ?? 'nearest';
  const nearest = [text('coordinate_transformation_mode') ?? 'half_pixel', text('nearest_mode')].join(' ');
  // Of these, each repeats every value.
  const repeats =
    /^(asymmetric|half_pixel|pytorch_half_pixel) (floor|round_prefer_floor|round_prefer_ceil)?$/.test(
      nearest,
    );
  const rounds = !/^asymmetric round_prefer_ceil$/.test(nearest) && !/half_pixel floor$/.test(nearest);
  if (vertical !== horizontal || others || !Number.isInteger(doublings) || doublings < 0)
    throw new Inexpressible(`a change of size by [${scales}]`);
  if (doublings > 0 && !(mode === 'nearest' && repeats && rounds))
    throw new Inexpressible(`a change of size of the mode ${mode} (${nearest})`);
  let map: StepMap = builder.mapOf(value);
  for (let i = 0; i < doublings; i++)
    map = builder.append({ op: 'upsample' }, map, {
      height: 2 * map.height,
      width: 2 * map.width,
      readers,
    });
  return asValue(map, value.axis);
}
