import * as tf from '@tensorflow/tfjs-core';
import { ComputationError, InvalidArgumentError } from '../../../errors';
import { isPyramid } from '../../../optim/pyramid-preconditioner';
import { requireTensorOfShape } from '../../../optim/tensor-space';
import {
  type Bounds,
  type Preconditioner,
  type Quantity,
  requireNumbers,
  type VectorSpace,
} from '../../../optim/vector-space';
import { Lifetime, owning } from '../../../owning';
import { withBlocks } from '../blocks';
import type { KernelArguments, KernelRunner } from '../runtime/kernel-runner';
import { Pyramid } from './pyramid';

/** A vector in an engine's memory, at an address. */
export type WasmVector = {
  readonly address: number;
  /** Address of the scales of a packed vector, whose components are integers of 8 bits; 0 if they are floats. */
  readonly scales: number;
};

/** Vectors in the memory of an engine. */
export interface WasmSpace extends VectorSpace<WasmVector, number, tf.Tensor> {
  /**
   * A vector of these numbers, or without numbers one to write to.
   * @throws InvalidArgumentError `WRONG_LENGTH` unless there are {@link VectorSpace.size} of them
   */
  vector(values?: Float32Array): WasmVector;
  /** A view of a vector's numbers, valid until the next vector is made. */
  values(vector: WasmVector): Float32Array;
}

/**
 * Vectors in the memory of an engine. The engine should have no other use: a run of L-BFGS holds dozens of vectors.
 *
 * @param shape shape of the tensors that vectors represent; preconditioners receive such tensors
 */
export function wasmSpace(engine: KernelRunner, shape: readonly number[]): WasmSpace {
  const { memory } = engine;
  const size = tf.util.sizeFromShape([...shape]);
  const length = vectorFloats(size);
  const items = Math.ceil(length / vectorShare);
  const alive = new Set<WasmVector>();
  const pyramids = new Map<string, Pyramid>();
  const lifetime = new Lifetime('The vector space');

  /**
   * Blocks of disposed vectors, for the next ones: two sizes, allocated and released in turn, would leave gaps between
   * each other.
   */
  const spare = { floats: [] as number[], packed: [] as number[] };

  const requireVector = (vector: WasmVector): WasmVector => {
    lifetime.requireAlive();
    if (alive.has(vector)) return vector;
    throw new ComputationError('DISPOSED', 'A vector has been disposed and can no longer be used.', {
      accepted: 'a vector of this space that has not been disposed',
    });
  };
  /** The address of a vector of floats. */
  const addressOf = (vector: WasmVector): number => {
    const { address, scales } = requireVector(vector);
    if (scales === 0) return address;
    throw new InvalidArgumentError('WRONG_TYPE', 'A packed vector was given to an operation on floats.', {
      accepted: 'a vector that is not packed',
    });
  };
  /** Adds a vector to the space and computes its components. */
  const fill = (vector: WasmVector, compute: () => void): WasmVector =>
    owning(({ result }) => {
      alive.add(vector);
      result(() => dispose(vector));
      compute();
      return vector;
    });
  const make = (compute: (to: number) => void): WasmVector => {
    lifetime.requireAlive();
    const address = spare.floats.pop() ?? memory.allocateFloats(length);
    return fill({ address, scales: 0 }, () => {
      compute(address);
      // Padding must be zero, or it would enter inner products.
      memory.floats(address, length).fill(0, size);
    });
  };
  const pack = (vector: WasmVector): WasmVector => {
    const from = addressOf(vector);
    const address = spare.packed.pop() ?? memory.allocate(packedBytes(length));
    const scales = address + packedComponents(length);
    return fill({ address, scales }, () =>
      engine.run('pack', [from, address, scales, length, vectorShare], items),
    );
  };
  const vector = (values?: Float32Array): WasmVector => {
    if (values) requireLength(values, size);
    return make((to) => values && memory.floats(to, size).set(values));
  };
  const values = (vector: WasmVector) => memory.floats(addressOf(vector), size);
  const dispose = (...vectors: readonly WasmVector[]): void => {
    for (const vector of vectors)
      if (alive.delete(vector)) (vector.scales === 0 ? spare.floats : spare.packed).push(vector.address);
  };

  function combine(coefficients: readonly number[], vectors: readonly WasmVector[]): WasmVector {
    const terms = vectors.map((vector, k) => ({
      vector: requireVector(vector),
      coefficient: coefficients[k],
    }));
    const plain = terms.filter(({ vector }) => !isPacked(vector));
    const packed = terms.filter(({ vector }) => isPacked(vector));
    return make((to) =>
      withBlocks(memory, (blocks) => {
        engine.needScratch(64);
        const [table, packedTable] = [blocks.allocate(8 * plain.length), blocks.allocate(12 * packed.length)];
        for (const [i, { vector, coefficient }] of plain.entries()) {
          memory.integers(table + 8 * i, 1)[0] = vector.address;
          memory.floats(table + 8 * i + 4, 1)[0] = coefficient;
        }
        for (const [i, { vector, coefficient }] of packed.entries()) {
          memory.integers(packedTable + 12 * i, 2).set([vector.address, vector.scales]);
          memory.floats(packedTable + 12 * i + 8, 1)[0] = coefficient;
        }
        const work = [table, plain.length, to, length, vectorShare, packedTable, packed.length];
        engine.run('combine', work, items);
      }),
    );
  }

  const componentArguments = (
    a: WasmVector,
    b: WasmVector | undefined,
    to: number,
    { bounds: { lower = -Infinity, upper = Infinity } = {}, ...options }: ComponentOptions,
  ): KernelArguments => [
    addressOf(a),
    b ? addressOf(b) : 0,
    to,
    options.length ?? length,
    vectorShare,
    ...boundArguments(lower, addressOf),
    ...boundArguments(upper, addressOf),
    { float: options.factor ?? 1 },
    { float: options.epsilon ?? 0 },
  ];

  /** Runs a kernel that treats each component alone. */
  function components(
    name: 'divideByRoot' | 'freeMask' | 'multiplyComponents' | 'project',
    a: WasmVector,
    b: WasmVector | undefined,
    options: ComponentOptions = {},
  ): WasmVector {
    return make((to) => engine.run(name, componentArguments(a, b, to, options), items));
  }

  function innerProducts(pairs: readonly (readonly [WasmVector, WasmVector])[]): number[] {
    const count = pairs.length;
    if (count === 0) return [];
    return withBlocks(memory, (blocks) => {
      const table = blocks.allocate(8 * count);
      const sums = blocks.allocate(8 * count * items);
      memory.integers(table, 2 * count).set(pairs.flatMap(([a, b]) => [addressOf(a), addressOf(b)]));
      engine.run('innerProducts', [table, count, length, vectorShare, sums], items);
      const parts = memory.doubles(sums, count * items);
      const totals = new Array<number>(count).fill(0);
      for (let i = 0; i < parts.length; i++) totals[i % count] += parts[i];
      return totals;
    });
  }

  /** Inner products of packed vectors with one vector or two, row by row. */
  function packedProducts(left: readonly WasmVector[], right: readonly WasmVector[]): number[] {
    const [b, c = b] = right.map(addressOf);
    const count = left.length;
    return withBlocks(memory, (blocks) => {
      // 4096 components of both in 16 bits, and their scales.
      engine.needScratch(2 * 2 * 4096 + 2 * 4 * 64);
      const table = blocks.allocate(8 * count);
      const sums = blocks.allocate(16 * count * items);
      const addresses = left.map(requireVector).flatMap(({ address, scales }) => [address, scales]);
      memory.integers(table, 2 * count).set(addresses);
      engine.run('packedProducts', [table, count, b, c, length, vectorShare, sums], items);
      const parts = memory.doubles(sums, 2 * count * items);
      const totals = new Array<number>(2 * count).fill(0);
      for (let i = 0; i < parts.length; i++) totals[i % (2 * count)] += parts[i];
      return totals.filter((_, i) => i % 2 < right.length);
    });
  }

  /** Inner products of each left vector with each right one, row by row. */
  function products({ left, right }: Products): number[] {
    const packed = left.filter(isPacked);
    if (packed.length === 0 || right.length === 0)
      return innerProducts(left.flatMap((a) => right.map((b) => [a, b] as const)));
    if (right.length > 2) {
      const parts = right.map((b) => products({ kind: 'products', left, right: [b] }));
      return left.flatMap((_, i) => parts.map((part) => part[i]));
    }
    const plain = left.filter((vector) => !isPacked(vector));
    const [ofPacked, ofPlain] = [
      packedProducts(packed, right),
      innerProducts(plain.flatMap((a) => right.map((b) => [a, b] as const))),
    ];
    return left.flatMap((vector) => (isPacked(vector) ? ofPacked : ofPlain).splice(0, right.length));
  }

  /** Runs a kernel that writes the largest magnitude of each item's four lanes to a table. */
  const largestBy = (run: (table: number) => void): number =>
    withBlocks(memory, (blocks) => {
      const table = blocks.allocate(16 * items);
      run(table);
      return memory.floats(table, 4 * items).reduce((most, value) => Math.max(most, value), 0);
    });
  const largest = (vector: WasmVector): number =>
    largestBy((to) => engine.run('largest', [addressOf(vector), 0, to, length, vectorShare], items));
  const largestProjected = ({ x, gradient, scale, bounds }: ProjectedGradient): number =>
    largestBy((to) =>
      engine.run(
        'largestProjected',
        componentArguments(x, gradient, to, { bounds, factor: scale, length: size }),
        items,
      ),
    );

  function pyramidFor(options: { readonly exponent: number; readonly levels: number }): Pyramid {
    const key = `${options.exponent} ${options.levels}`;
    const known = pyramids.get(key) ?? new Pyramid(engine, shape[0], shape[1], options);
    pyramids.set(key, known);
    return known;
  }

  function byTensors(preconditioner: Preconditioner<tf.Tensor>, to: WasmVector): WasmVector {
    return tf.tidy(() => {
      const result = preconditioner.apply(tf.tensor(values(to).slice(), [...shape]));
      return vector(requireTensorOfShape(result, shape).dataSync<'float32'>());
    });
  }

  return {
    size,
    epsilon: 2 ** -23,
    vector,
    values,
    adopt(vector) {
      addressOf(vector);
      return vector;
    },
    adoptScalars(scalars) {
      lifetime.requireAlive();
      return requireNumbers(scalars);
    },
    copy: (original) => combine([1], [original]),
    dispose,
    disposeScalars: () => undefined,
    close() {
      if (!lifetime.end()) return;
      dispose(...alive);
      for (const address of [...spare.floats, ...spare.packed]) memory.release(address);
      for (const pyramid of pyramids.values()) pyramid.dispose();
      pyramids.clear();
    },
    combine,
    pack,
    multiply: (a, b) => components('multiplyComponents', a, b),
    divideByRoot: (numerator, square, epsilon) => components('divideByRoot', numerator, square, { epsilon }),
    project: (x, bounds) => components('project', x, undefined, { bounds }),
    freeMask: (x, gradient, bounds) => components('freeMask', x, gradient, { bounds }),
    precondition(preconditioner, to) {
      if (isPyramid(preconditioner) && shape.length === 3 && shape[2] === 3) {
        const pyramid = pyramidFor(preconditioner);
        return make((result) => pyramid.apply(addressOf(to), result));
      }
      return byTensors(preconditioner, to);
    },
    async measure<Q extends readonly Quantity<WasmVector, number>[]>(quantities: Q) {
      lifetime.requireAlive();
      // All of floats in one pass, because the same vectors occur in several quantities.
      const ofFloats = innerProducts(
        quantities
          .filter(isProducts)
          .filter(isOfFloats)
          .flatMap(({ left, right }) => left.flatMap((a) => right.map((b) => [a, b] as const))),
      );
      return quantities.map((quantity) => {
        if (quantity.kind === 'scalars') return [...quantity.of];
        if (quantity.kind === 'largest') return quantity.of.map(largest);
        if (quantity.kind === 'projectedGradient') return [largestProjected(quantity)];
        if (!isOfFloats(quantity)) return products(quantity);
        return ofFloats.splice(0, quantity.left.length * quantity.right.length);
      }) as { [I in keyof Q]: number[] };
    },
  };
}

type Products = Extract<Quantity<WasmVector, number>, { readonly kind: 'products' }>;

const isPacked = ({ scales }: WasmVector): boolean => scales !== 0;

const isProducts = (quantity: Quantity<WasmVector, number>): quantity is Products =>
  quantity.kind === 'products';

const isOfFloats = ({ left }: Products): boolean => !left.some(isPacked);

type ProjectedGradient = Extract<Quantity<WasmVector, number>, { readonly kind: 'projectedGradient' }>;

interface ComponentOptions {
  readonly bounds?: Partial<Bounds<WasmVector>>;
  /** Components that count. @default all, with the padding */
  readonly length?: number;
  /** Factor of b. @default 1 */
  readonly factor?: number;
  readonly epsilon?: number;
}

/**
 * Floats that a vector takes: whole cache lines, with four more than its components for kernels that read four at a
 * time.
 */
export const vectorFloats = (size: number): number => Math.ceil((size + 4) / 16) * 16;

/** Components of a packed vector, with padding to whole blocks. */
const packedComponents = (length: number): number => Math.ceil(length / 64) * 64;

/**
 * Bytes of a packed vector with a scale for each block: an odd number of cache lines, because vectors whose distances
 * are multiples of large powers of two compete for the same places in caches.
 */
function packedBytes(length: number): number {
  const lines = Math.ceil((packedComponents(length) * (1 + 4 / 64)) / 64);
  return 64 * (lines + 1 - (lines % 2));
}

/** Values for each item of work on vectors. */
const vectorShare = 16384;

/** A bound as two arguments of a kernel: its address and 0, or 0 and a number. */
const boundArguments = (bound: number | WasmVector, addressOf: (vector: WasmVector) => number) =>
  typeof bound === 'number' ? [0, { float: bound }] : [addressOf(bound), { float: 0 }];

function requireLength(values: Float32Array, size: number): void {
  if (values.length === size) return;
  const accepted = `${size} numbers`;
  throw new InvalidArgumentError(
    'WRONG_LENGTH',
    `A vector of this space was given ${values.length} numbers; accepted: ${accepted}.`,
    { option: 'values', value: values.length, accepted },
  );
}
