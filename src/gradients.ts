import * as tf from '@tensorflow/tfjs-core';

type Kernel = Parameters<typeof tf.registerGradient>[0];

/**
 * Registers gradients of the operations that losses commonly use, unless they are registered already.
 * `@tensorflow/tfjs-core` by itself registers none; after the umbrella package, which registers all, this does nothing.
 * Repeated calls are cheap.
 */
export function registerGradients(): void {
  if (done) return;
  done = true;
  for (const kernel of kernels) if (!tf.getGradient(kernel.kernelName)) tf.registerGradient(kernel);
}
let done = false;

/**
 * The tensor that `make` returns as a constant: where gradients are recorded, its operations are not, so that none of
 * their inputs is kept for a backward pass.
 */
export function unrecorded<T extends tf.Tensor>(make: () => T): T {
  return tf.customGrad(() => ({ value: make(), gradFunc: () => [] }))() as T;
}

/** `y = f(x)` with dx = dy * derivative(x). */
function unary(kernelName: string, derivative: (x: tf.Tensor) => tf.Tensor): Kernel {
  return {
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, derivative(x)) }),
  };
}

/** `f(a, b)` with broadcasting; each derivative is summed over the axes that were broadcast. */
function binary(
  kernelName: string,
  derivativeA: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  derivativeB: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
): Kernel {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({
      a: () => sumToShape(derivativeA(dy as tf.Tensor, a, b), a.shape),
      b: () => sumToShape(derivativeB(dy as tf.Tensor, a, b), b.shape),
    }),
  };
}

function sumToShape(x: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, x.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(x, axes) : x, shape);
}

/** `x` reduced over `attrs.axis`: dy spread back over the reduced axes. */
function spread(dy: tf.Tensor, shape: number[], axis: unknown): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis as number | number[], shape);
  const kept = shape.map((n, i) => (axes.includes(i) ? 1 : n));
  return tf.mul(tf.reshape(dy, kept), tf.ones(shape));
}

const positive = (x: tf.Tensor) => tf.cast(tf.greater(x, 0), 'float32');

const kernels: readonly Kernel[] = [
  binary(
    'Add',
    (dy) => dy,
    (dy) => dy,
  ),
  binary(
    'Sub',
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
  binary(
    'Multiply',
    (dy, _a, b) => tf.mul(dy, b),
    (dy, a) => tf.mul(dy, a),
  ),
  binary(
    'RealDiv',
    (dy, _a, b) => tf.div(dy, b),
    (dy, a, b) => tf.neg(tf.mul(dy, tf.div(a, tf.square(b)))),
  ),
  binary(
    'SquaredDifference',
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ),
  binary(
    'Maximum',
    (dy, a, b) => tf.mul(dy, tf.cast(tf.greaterEqual(a, b), 'float32')),
    (dy, a, b) => tf.mul(dy, tf.cast(tf.less(a, b), 'float32')),
  ),
  binary(
    'Minimum',
    (dy, a, b) => tf.mul(dy, tf.cast(tf.lessEqual(a, b), 'float32')),
    (dy, a, b) => tf.mul(dy, tf.cast(tf.greater(a, b), 'float32')),
  ),
  unary('Neg', (x) => tf.fill(x.shape, -1)),
  unary('Square', (x) => tf.mul(x, 2)),
  unary('Sqrt', (x) => tf.div(0.5, tf.sqrt(x))),
  unary('Rsqrt', (x) => tf.div(-0.5, tf.mul(x, tf.sqrt(x)))),
  unary('Abs', (x) => tf.sign(x)),
  unary('Exp', (x) => tf.exp(x)),
  unary('Log', (x) => tf.div(1, x)),
  unary('Relu', positive),
  unary('Tanh', (x) => tf.sub(1, tf.square(tf.tanh(x)))),
  unary('Sigmoid', (x) => tf.mul(tf.sigmoid(x), tf.sub(1, tf.sigmoid(x)))),
  {
    kernelName: 'AddN',
    saveAllInputs: true,
    gradFunc: (dy, saved) => Object.fromEntries(saved.map((_, i) => [i, () => tf.clone(dy as tf.Tensor)])),
  },
  { kernelName: 'Identity', gradFunc: (dy) => ({ x: () => tf.clone(dy as tf.Tensor) }) },
  { kernelName: 'Cast', gradFunc: (dy) => ({ x: () => tf.cast(dy as tf.Tensor, 'float32') }) },
  {
    kernelName: 'ClipByValue',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => {
      const { clipValueMin, clipValueMax } = attrs as unknown as {
        clipValueMin: number;
        clipValueMax: number;
      };
      const inside = () => tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax));
      return { x: () => tf.mul(dy as tf.Tensor, tf.cast(inside(), 'float32')) };
    },
  },
  {
    kernelName: 'Reshape',
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => tf.reshape(dy as tf.Tensor, x.shape) }),
  },
  {
    kernelName: 'ExpandDims',
    inputsToSave: ['input'],
    gradFunc: (dy, [input]) => ({ input: () => tf.reshape(dy as tf.Tensor, input.shape) }),
  },
  {
    kernelName: 'Sum',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => ({ x: () => spread(dy as tf.Tensor, x.shape, attrs.axis) }),
  },
  {
    kernelName: 'Mean',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => ({
      x: () => tf.mul(spread(dy as tf.Tensor, x.shape, attrs.axis), (dy as tf.Tensor).size / x.size),
    }),
  },
  {
    kernelName: 'Transpose',
    gradFunc: (dy, _saved, attrs) => ({
      x: () => tf.transpose(dy as tf.Tensor, tf.backend_util.getUndoAxesPermutation(attrs.perm as number[])),
    }),
  },
  {
    kernelName: 'Slice',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => {
      const { begin, size } = attrs as unknown as { begin: number[]; size: number[] };
      const [start, extent] = tf.slice_util.parseSliceParams(x, begin, size);
      const padding = start.map((before, i): [number, number] => [before, x.shape[i] - before - extent[i]]);
      return { x: () => tf.pad(dy as tf.Tensor, padding) };
    },
  },
  {
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const shapes = saved.map((x) => x.shape);
      const axis = tf.util.parseAxisParam(attrs.axis as number, saved[0].shape)[0];
      const sizes = shapes.map((shape) => shape[axis]);
      const parts = tf.split(dy as tf.Tensor, sizes, axis);
      return Object.fromEntries(parts.map((part, i) => [i, () => part]));
    },
  },
  {
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b], attrs) => {
      const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const d = dy as tf.Tensor;
      return {
        a: () => (transposeA ? tf.matMul(b, d, transposeB, true) : tf.matMul(d, b, false, !transposeB)),
        b: () => (transposeB ? tf.matMul(d, a, true, transposeA) : tf.matMul(a, d, !transposeA, false)),
      };
    },
  },
];
