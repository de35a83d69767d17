import { sizeOf } from '../../../weights/tensor-file';

/**
 * A tensor of a graph that does not depend on the image, row-major: constants, and affine functions of the condition,
 * the vector beside the image that chooses a style.
 */
export interface Known {
  readonly shape: readonly number[];
  /** The values where the condition is 0. */
  readonly values: Float32Array | Float64Array;
  /** Derivatives with respect to the condition, [size of the condition] for each value; absent for constants. */
  readonly slopes?: Float64Array | undefined;
}

/** An operation that a reader cannot express; the reader names the node. */
export class Inexpressible extends Error {}

/** A constant. */
export const constant = (values: readonly number[], shape: readonly number[] = [values.length]): Known => ({
  shape,
  values: Float64Array.from(values),
});

/** The numbers of a tensor that must be constant. @param what the argument, for messages */
export function numbersOf(known: Known, what: string): readonly number[] {
  if (known.slopes) throw new Inexpressible(`${what} depends on the condition`);
  return Array.from(known.values);
}

/** Length of the condition's vector, as far as a tensor shows it. */
export const conditionOf = ({ values, slopes }: Known): number =>
  slopes ? slopes.length / values.length : 0;

/** The elements at some indices, as a tensor of another shape. */
export function pick(from: Known, indices: ArrayLike<number>, shape: readonly number[]): Known {
  const values = new Float64Array(indices.length);
  for (let i = 0; i < values.length; i++) values[i] = from.values[indices[i]];
  const width = conditionOf(from);
  if (!from.slopes) return { shape, values };
  const slopes = new Float64Array(indices.length * width);
  for (let i = 0; i < values.length; i++)
    slopes.set(from.slopes.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
  return { shape, values, slopes };
}

/** The same elements in another shape, of which one extent may be -1. */
export function reshape(from: Known, wanted: readonly number[]): Known {
  const kept = wanted.map((extent, axis) => (extent === 0 ? from.shape[axis] : extent));
  const rest = kept.filter((extent) => extent !== -1).reduce((product, extent) => product * extent, 1);
  const shape = kept.map((extent) => (extent === -1 ? from.values.length / rest : extent));
  if (sizeOf(shape) !== from.values.length)
    throw new Inexpressible(`[${from.shape}] has not the elements of [${shape}]`);
  return { ...from, shape };
}

/** Axes in another order. */
export function transpose(from: Known, order: readonly number[]): Known {
  const shape = order.map((axis) => from.shape[axis]);
  const steps = stridesOf(from.shape);
  const indices = indicesOf(shape, (position) =>
    position.reduce((index, at, axis) => index + at * steps[order[axis]], 0),
  );
  return pick(from, indices, shape);
}

/** Every `step`-th index from `start` to before `end` of some axes. */
export function slice(
  from: Known,
  ranges: readonly { axis: number; start: number; end: number; step: number }[],
): Known {
  const chosen = from.shape.map((extent) => Array.from({ length: extent }, (_, i) => i));
  for (const { axis, start, end, step } of ranges) {
    const extent = from.shape[axis];
    const clamp = (at: number) =>
      Math.min(step > 0 ? extent : extent - 1, Math.max(step > 0 ? 0 : -1, at < 0 ? at + extent : at));
    const found: number[] = [];
    for (let at = clamp(start); step > 0 ? at < clamp(end) : at > clamp(end); at += step) found.push(at);
    chosen[axis] = found;
  }
  return take(from, chosen);
}

/** The chosen indices of each axis. */
export function take(from: Known, chosen: readonly (readonly number[])[]): Known {
  const shape = chosen.map(({ length }) => length);
  const steps = stridesOf(from.shape);
  const indices = indicesOf(shape, (position) =>
    position.reduce((index, at, axis) => index + chosen[axis][at] * steps[axis], 0),
  );
  return pick(from, indices, shape);
}

/** Tensors one after the other along an axis. */
export function concat(parts: readonly Known[], axis: number): Known {
  if (parts.some(({ slopes }) => slopes)) throw new Inexpressible('a part depends on the condition');
  const shape = parts[0].shape.map((extent, i) =>
    i === axis ? parts.reduce((sum, part) => sum + part.shape[i], 0) : extent,
  );
  const rows = sizeOf(shape.slice(0, axis));
  const values = new Float64Array(sizeOf(shape));
  let at = 0;
  for (let row = 0; row < rows; row++)
    for (const part of parts) {
      const length = part.values.length / rows;
      values.set(part.values.subarray(row * length, (row + 1) * length), at);
      at += length;
    }
  return { shape, values };
}

/** The sum over some axes. */
export function sumOver(from: Known, axes: readonly number[], keep: boolean): Known {
  const kept = from.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const steps = stridesOf(kept).map((step, axis) => (axes.includes(axis) ? 0 : step));
  const width = conditionOf(from);
  const values = new Float64Array(sizeOf(kept));
  const slopes = from.slopes && new Float64Array(values.length * width);
  const targets = indicesOf(from.shape, (position) =>
    position.reduce((index, at, axis) => index + at * steps[axis], 0),
  );
  targets.forEach((target, i) => {
    values[target] += from.values[i];
    for (let k = 0; k < width && slopes && from.slopes; k++)
      slopes[target * width + k] += from.slopes[i * width + k];
  });
  const shape = keep ? kept : kept.filter((_, axis) => !axes.includes(axis));
  return { shape, values, slopes };
}

/** a + b, or a - b with `sign` -1, with broadcasting. */
export function add(a: Known, b: Known, sign: 1 | -1 = 1): Known {
  const [left, right] = broadcast(a, b);
  const values = left.values.map((value, i) => value + sign * right.values[i]);
  const width = Math.max(conditionOf(left), conditionOf(right));
  if (width === 0) return { shape: left.shape, values };
  const slopes = new Float64Array(values.length * width);
  for (let i = 0; i < slopes.length; i++)
    slopes[i] = (left.slopes?.[i] ?? 0) + sign * (right.slopes?.[i] ?? 0);
  return { shape: left.shape, values, slopes };
}

/** a * b with broadcasting, of which at most one depends on the condition. */
export function multiply(a: Known, b: Known): Known {
  const [left, right] = broadcast(a, b);
  if (left.slopes && right.slopes) throw new Inexpressible('a product of two functions of the condition');
  const values = left.values.map((value, i) => value * right.values[i]);
  const [sloped, factor] = left.slopes ? [left, right] : [right, left];
  const width = conditionOf(sloped);
  const slopes = sloped.slopes?.map((slope, i) => slope * factor.values[Math.floor(i / width)]);
  return { shape: left.shape, values, slopes };
}

/** A function of each value of a constant. */
export function apply(from: Known, f: (value: number) => number): Known {
  if (from.slopes) throw new Inexpressible('a function of the condition that is not affine');
  return { shape: from.shape, values: Float64Array.from(from.values, f) };
}

/** [n, k] times [k, m], of which at most one depends on the condition. */
export function matrixProduct(a: Known, b: Known): Known {
  const [n, k] = a.shape;
  const m = b.shape[1];
  if (a.shape.length !== 2 || b.shape.length !== 2 || b.shape[0] !== k)
    throw new Inexpressible(`a product of [${a.shape}] and [${b.shape}]`);
  return sumOver(multiply(reshape(a, [n, k, 1]), reshape(b, [1, k, m])), [1], false);
}

/** Both tensors in the shape that they have together. */
function broadcast(a: Known, b: Known): readonly [Known, Known] {
  const rank = Math.max(a.shape.length, b.shape.length);
  const shapes = [a, b].map(({ shape }) => [...Array<number>(rank - shape.length).fill(1), ...shape]);
  const shape = shapes[0].map((extent, axis) => {
    const other = shapes[1][axis];
    if (extent !== other && extent !== 1 && other !== 1)
      throw new Inexpressible(`[${a.shape}] and [${b.shape}] do not fit together`);
    return extent === 1 ? other : extent;
  });
  const spread = (known: Known, own: readonly number[]): Known => {
    if (own.every((extent, axis) => extent === shape[axis])) return { ...known, shape };
    const steps = stridesOf(own).map((step, axis) => (own[axis] === 1 ? 0 : step));
    return pick(
      known,
      indicesOf(shape, (position) => position.reduce((index, at, axis) => index + at * steps[axis], 0)),
      shape,
    );
  };
  return [spread(a, shapes[0]), spread(b, shapes[1])];
}

/** Elements between neighbours along each axis. */
const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** An index for each position of a shape, in row-major order. */
function indicesOf(shape: readonly number[], index: (position: readonly number[]) => number): Int32Array {
  const position = shape.map(() => 0);
  const indices = new Int32Array(sizeOf(shape));
  for (let i = 0; i < indices.length; i++) {
    indices[i] = index(position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]++;
      if (position[axis] < shape[axis]) break;
      position[axis] = 0;
    }
  }
  return indices;
}
