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
    const count = vectors.length;
    return make((to) =>
      withBlocks(memory, (blocks) => {
        const table = blocks.allocate(12 * count);
        const addresses = memory.integers(table, 3 * count);
        const factors = memory.floats(table, 3 * count);
        for (const [k, vector] of vectors.entries()) {
          const { address, scales } = requireVector(vector);
          addresses[3 * k] = address;
          addresses[3 * k + 1] = scales;
          factors[3 * k + 2] = coefficients[k];
        }
        engine.run('combine', [table, count, to, length, vectorShare], items);
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
      const table = blocks.allocate(12 * count);
      const sums = blocks.allocate(8 * count * items);
      const addresses = memory.integers(table, 3 * count);
      for (const [k, [a, b]] of pairs.entries()) {
        const { address, scales } = requireVector(a);
        addresses.set([address, scales, addressOf(b)], 3 * k);
      }
      engine.run('innerProducts', [table, count, length, vectorShare, sums], items);
      const parts = memory.doubles(sums, count * items);
      const totals = new Array<number>(count).fill(0);
      for (let i = 0; i < parts.length; i++) totals[i % count] += parts[i];
      return totals;
    });
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
      const products = innerProducts(
        quantities.flatMap((quantity) =>
          quantity.kind === 'products'
            ? quantity.left.flatMap((a) => quantity.right.map((b) => [a, b] as const))
            : [],
        ),
      );
      return quantities.map((quantity) => {
        if (quantity.kind === 'scalars') return [...quantity.of];
        if (quantity.kind === 'largest') return quantity.of.map(largest);
        if (quantity.kind === 'projectedGradient') return [largestProjected(quantity)];
        return products.splice(0, quantity.left.length * quantity.right.length);
      }) as { [I in keyof Q]: number[] };
    },
  };
}

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

/** Components of a packed vector, with padding to whole blocks, and its bytes with a scale for each block. */
const packedComponents = (length: number): number => Math.ceil(length / 64) * 64;
const packedBytes = (length: number): number => packedComponents(length) * (1 + 4 / 64);

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
