/// <reference types="@webgpu/types" />
import * as tf from '@tensorflow/tfjs-core';
import { whileDeviceLasts } from '../../../backends/lost-device';
import { ComputationError } from '../../../errors';
import { isPyramid } from '../../../optim/pyramid-preconditioner';
import { requireTensorOfShape } from '../../../optim/tensor-space';
import { type Bounds, type Quantity, type VectorSpace, wrongScalar } from '../../../optim/vector-space';
import { Lifetime } from '../../../owning';
import type { Gpu, Slice } from '../device/gpu';
import type { TfjsDevice } from '../device/tfjs-device';
import type { KernelObjective, Result } from '../losses/objective';
import { VectorCommands } from './commands';
import { type GpuVector, Pages } from './pages';
import { Pyramid } from './pyramid';
import {
  blocks,
  type ComponentOperation,
  combineSource,
  componentSource,
  gatherSource,
  largestSource,
  mostRows,
  mostSummands,
  productsSource,
  vectorGrid,
} from './vector-kernels';

export type { GpuVector } from './pages';

/** A number that is on the device, as a sum of results of an evaluation. */
export interface GpuScalar {
  /** Where the evaluation's results were kept. */
  readonly kept: Kept;
  readonly results: readonly Result[];
}

/** Results of an evaluation: first on the device, then, once measured, numbers. */
export interface Kept {
  readonly slice: Slice;
  readonly count: number;
  numbers: Float32Array | undefined;
  /** Scalars that are not disposed. */
  readonly users: Set<GpuScalar>;
}

/** Vectors in buffers of a device. */
export interface GpuSpace extends VectorSpace<GpuVector, GpuScalar, tf.Tensor> {
  /** A vector of these numbers. */
  vector(values: Float32Array): GpuVector;
  /** A vector with a copy of the first numbers of a buffer. */
  copyOf(slice: Slice): GpuVector;
  /** Where a vector lies. */
  slice(vector: GpuVector): Slice;
  /** The vector as a tensor, which belongs to the caller. */
  tensor(vector: GpuVector): tf.Tensor;
  /** Keeps the results of an evaluation, which the next one will overwrite, and makes scalars of them. */
  keep(results: Slice, count: number): (results: readonly Result[]) => GpuScalar;
}

/** Numbers that reductions leave before they are added up, and totals, for one read-back. */
const numbersLength = 2 ** 17;
const totalsLength = 2 ** 12;

/**
 * Vectors in buffers of a device. Operations are recorded only; {@link VectorSpace.measure} submits all that has been
 * recorded, evaluations among them, and waits for one small buffer.
 *
 * @param shape shape of the tensors that vectors represent; preconditioners receive such tensors
 * @param objective whose vectors they are: errors that WebGPU has reported since it was made fail a measurement
 */
export function gpuSpace(
  gpu: Gpu,
  tfjs: TfjsDevice,
  shape: readonly number[],
  { reportsBefore }: Pick<KernelObjective, 'reportsBefore'> = { reportsBefore: gpu.reports },
): GpuSpace {
  const size = tf.util.sizeFromShape([...shape]);
  const length4 = Math.ceil(size / 4);
  const pages = new Pages(gpu, size);
  const commands = new VectorCommands(gpu);
  const buffers = {
    /** Results of operations, before they are copied to a vector's place: no page is read and written at once. */
    output: gpu.buffer(pages.stride, 'output'),
    numbers: gpu.buffer(4 * numbersLength, 'numbers'),
    totals: gpu.buffer(4 * totalsLength, 'totals'),
  };
  const alive = new Set<GpuVector>();
  const keeping = new Set<Kept>();
  /** Results that nobody needs any more, but commands that are recorded write. */
  const retired: Kept[] = [];
  const submit = () => {
    gpu.submit();
    for (const { slice } of retired.splice(0)) slice.buffer.destroy();
  };
  const pyramids = new Map<string, Pyramid>();
  const lifetime = new Lifetime('The vector space');
  const kernel = (operation: ComponentOperation) => ({ label: operation, code: componentSource(operation) });

  const requireVector = (vector: GpuVector): GpuVector => {
    lifetime.requireAlive();
    if (alive.has(vector)) return vector;
    throw new ComputationError('DISPOSED', 'A vector has been disposed and can no longer be used.', {
      accepted: 'a vector of this space that has not been disposed',
    });
  };
  const slice = (vector: GpuVector): Slice => pages.slice(requireVector(vector));
  const take = (): GpuVector => {
    lifetime.requireAlive();
    const vector = pages.take();
    alive.add(vector);
    return vector;
  };
  /** A new vector of what lies in the output. */
  const fromOutput = (): GpuVector => {
    const vector = take();
    gpu.copy({ buffer: buffers.output }, pages.slice(vector), pages.stride);
    return vector;
  };
  const vector = (values: Float32Array): GpuVector => {
    const made = take();
    const { buffer, offset = 0 } = pages.slice(made);
    const padded = new Float32Array(pages.stride / 4);
    padded.set(values);
    // Commands that are recorded but not submitted would read the new numbers.
    gpu.submit();
    gpu.device.queue.writeBuffer(buffer, offset, padded);
    return made;
  };
  const copyOf = (from: Slice): GpuVector => {
    const made = take();
    // What lies behind the last component is zero in every place.
    gpu.copy(from, pages.slice(made), 4 * size);
    return made;
  };
  const dispose = (...vectors: readonly GpuVector[]): void => {
    for (const one of vectors) if (alive.delete(one)) pages.give(one);
  };
  const tensor = (vector: GpuVector): tf.Tensor => {
    const buffer = gpu.buffer(4 * size, 'tensor');
    gpu.copy(slice(vector), { buffer }, buffer.size);
    gpu.submit();
    try {
      return tfjs.tensorOf(buffer, [...shape] as [number]);
    } finally {
      buffer.destroy();
    }
  };

  function combine(coefficients: readonly number[], vectors: readonly GpuVector[]): GpuVector {
    const byPage = new Map<number, (readonly [place: number, coefficient: number])[]>();
    for (const [k, one] of vectors.entries()) {
      const { page } = requireVector(one);
      byPage.set(page, [...(byPage.get(page) ?? []), [pages.place4(one), coefficients[k]]]);
    }
    let added = 0;
    for (const [page, terms] of byPage)
      for (let from = 0; from < terms.length; from += mostSummands) {
        const part = terms.slice(from, from + mostSummands);
        const pairs = part.flatMap(([place, coefficient]) => [place, { float: coefficient }]);
        const words = [part.length, length4, Number(added++ > 0), 0, ...pairs];
        const slices = [pages.page(page), undefined, { buffer: buffers.output }];
        commands.run({ label: 'combine', code: combineSource }, slices, words, vectorGrid(length4));
      }
    return fromOutput();
  }

  /** Bindings and parameters of operations on components. */
  function operands(
    a: GpuVector,
    b: GpuVector,
    { lower = -largestNumber, upper = largestNumber }: Partial<Bounds<GpuVector>>,
    number: number,
  ) {
    const boundOf = (bound: number | GpuVector) =>
      typeof bound === 'number'
        ? { slice: slice(a), isVector: 0, number: bound }
        : { slice: slice(bound), isVector: 1, number: 0 };
    const [low, high] = [boundOf(lower), boundOf(upper)];
    return {
      slices: [slice(a), slice(b), low.slice, high.slice, undefined],
      words: [
        length4,
        size,
        { float: number },
        low.isVector,
        high.isVector,
        { float: low.number },
        { float: high.number },
      ],
    };
  }

  function components(
    operation: ComponentOperation,
    a: GpuVector,
    b: GpuVector,
    bounds: Partial<Bounds<GpuVector>> = {},
    number = 0,
  ): GpuVector {
    const { slices, words } = operands(a, b, bounds, number);
    const bindings = [...slices, { buffer: buffers.output }];
    commands.run(kernel(operation), bindings, words, vectorGrid(length4));
    return fromOutput();
  }

  function pyramidFor(options: { readonly exponent: number; readonly levels: number }): Pyramid {
    const key = `${options.exponent} ${options.levels}`;
    const known = pyramids.get(key) ?? new Pyramid(gpu, commands, shape[0], shape[1], options);
    pyramids.set(key, known);
    return known;
  }

  /**
   * Records reductions, and tells which of the totals are whose: quantities of one kind are added up together.
   */
  function reduce(quantities: readonly Quantity<GpuVector, GpuScalar>[]): { total: number; at: number[][] } {
    let total = 0;
    const gather = (count: number, largest: boolean) => {
      const bindings = [{ buffer: buffers.numbers }, undefined, { buffer: buffers.totals }];
      const words = [total, Number(largest), 0];
      commands.run({ label: 'gather', code: gatherSource }, bindings, words, [count, 1, 1]);
      total += count;
      if (total > totalsLength) throw new Error(`More than ${totalsLength} numbers in one measurement.`);
    };
    const largest = (a: GpuVector, b: GpuVector, bounds: Partial<Bounds<GpuVector>>, factor?: number) => {
      const { slices, words } = operands(a, b, bounds, factor ?? 0);
      const all = [...words, Number(factor !== undefined), 0];
      commands.run({ label: 'largest', code: largestSource }, [...slices, { buffer: buffers.numbers }], all, [
        blocks,
        1,
        1,
      ]);
      gather(1, true);
      return total - 1;
    };
    /** @returns the totals of the products of each left vector with one right one */
    const products = (left: readonly GpuVector[], right: GpuVector): number[] => {
      const found = new Array<number>(left.length);
      const groups = new Map<number, number[]>();
      for (const [i, one] of left.entries())
        groups.set(requireVector(one).page, [...(groups.get(one.page) ?? []), i]);
      for (const [page, indices] of groups)
        for (let from = 0; from < indices.length; from += mostRows) {
          const part = indices.slice(from, from + mostRows);
          const words = [length4, 0, 0, 0, 0, 0, 0, 0, ...part.map((i) => pages.place4(left[i]))];
          const bindings = [pages.page(page), slice(right), undefined, { buffer: buffers.numbers }];
          const grid = [blocks, part.length, 1] as const;
          commands.run({ label: 'products', code: productsSource }, bindings, words, grid);
          for (const [k, i] of part.entries()) found[i] = total + k;
          gather(part.length, false);
        }
      return found;
    };
    const at = quantities.map((quantity): number[] => {
      if (quantity.kind === 'scalars') return [];
      if (quantity.kind === 'largest') return quantity.of.map((one) => largest(one, one, {}));
      if (quantity.kind === 'projectedGradient') {
        const { x, gradient, scale, bounds } = quantity;
        return [largest(x, gradient, bounds, scale)];
      }
      const columns = quantity.right.map((right) => products(quantity.left, right));
      return quantity.left.flatMap((_, i) => columns.map((column) => column[i]));
    });
    return { total, at };
  }

  return {
    size,
    epsilon: 2 ** -23,
    vector,
    copyOf,
    slice,
    tensor,
    keep(results, count) {
      lifetime.requireAlive();
      const buffer = gpu.buffer(4 * count, 'kept');
      gpu.copy(results, { buffer }, 4 * count);
      const kept: Kept = { slice: { buffer }, count, numbers: undefined, users: new Set() };
      keeping.add(kept);
      return (results) => {
        const scalar = { kept, results };
        kept.users.add(scalar);
        return scalar;
      };
    },
    adopt(vector) {
      slice(vector);
      return vector;
    },
    adoptScalars(scalars) {
      lifetime.requireAlive();
      for (const scalar of scalars)
        if (!keeping.has((scalar as Partial<GpuScalar>)?.kept as Kept))
          throw wrongScalar(scalar, 'a scalar of this space');
      return scalars;
    },
    copy: (original) => combine([1], [original]),
    dispose,
    disposeScalars(scalars) {
      for (const scalar of scalars) {
        const { kept } = scalar;
        if (kept.users.delete(scalar) && kept.users.size === 0 && keeping.delete(kept)) retired.push(kept);
      }
    },
    close() {
      if (!lifetime.end()) return;
      submit();
      alive.clear();
      for (const { slice } of keeping) slice.buffer.destroy();
      keeping.clear();
      for (const pyramid of pyramids.values()) pyramid.dispose();
      for (const buffer of Object.values(buffers)) buffer.destroy();
      commands.dispose();
      pages.dispose();
    },
    combine,
    multiply: (a, b) => components('multiply', a, b),
    divideByRoot: (numerator, square, epsilon) => components('divideByRoot', numerator, square, {}, epsilon),
    project: (x, bounds) => components('project', x, x, bounds),
    freeMask: (x, gradient, bounds) => components('freeMask', x, gradient, bounds),
    precondition(preconditioner, to) {
      if (isPyramid(preconditioner) && shape.length === 3 && shape[2] === 3) {
        pyramidFor(preconditioner).apply(slice(to), { buffer: buffers.output });
        return fromOutput();
      }
      let made: GpuVector | undefined;
      tf.tidy(() => {
        const result = requireTensorOfShape(preconditioner.apply(tensor(to)), shape);
        made = copyOf({ buffer: tfjs.bufferOf(result) });
        // tfjs may use the buffer again as soon as the tensor is disposed.
        gpu.submit();
      });
      return made as GpuVector;
    },
    async measure<Q extends readonly Quantity<GpuVector, GpuScalar>[]>(quantities: Q) {
      lifetime.requireAlive();
      const { total, at } = reduce(quantities);
      const scalars = quantities.flatMap((quantity) => (quantity.kind === 'scalars' ? quantity.of : []));
      const wanted = [...new Set(scalars.map(({ kept }) => kept))].filter(({ numbers }) => !numbers);
      const bytes = 4 * (total + wanted.reduce((sum, { count }) => sum + count, 0));
      const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
      const staging = gpu.buffer(bytes, 'measured', usage);
      try {
        if (total > 0) gpu.copy({ buffer: buffers.totals }, { buffer: staging }, 4 * total);
        let offset = 4 * total;
        for (const { slice, count } of wanted) {
          gpu.copy(slice, { buffer: staging, offset }, 4 * count);
          offset += 4 * count;
        }
        submit();
        await whileDeviceLasts(() => staging.mapAsync(GPUMapMode.READ));
        gpu.requireNoReport(reportsBefore);
        const numbers = new Float32Array(staging.getMappedRange().slice(0));
        let from = total;
        for (const kept of wanted) {
          kept.numbers = numbers.slice(from, from + kept.count);
          from += kept.count;
        }
        return quantities.map((quantity, i) =>
          quantity.kind === 'scalars' ? quantity.of.map(numberOf) : at[i].map((index) => numbers[index]),
        ) as { [I in keyof Q]: number[] };
      } finally {
        staging.destroy();
      }
    },
  };
}

/** A scalar that has been measured; its summands are added in double precision. */
const numberOf = ({ kept, results }: GpuScalar): number =>
  results.reduce((sum, { index, factor }) => sum + factor * (kept.numbers as Float32Array)[index], 0);

/** The largest float32: shaders have no literal for infinity. */
const largestNumber = (2 - 2 ** -23) * 2 ** 127;
