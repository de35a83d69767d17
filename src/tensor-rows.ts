import * as tf from '@tensorflow/tfjs-core';

/**
 * `count` rows along the first axis, from row `begin`, as a tensor of its own, which belongs to the caller.
 *
 * tfjs-wasm's `slice` copies the whole tensor first: many small parts of it would cost the square of its size. Its
 * products keep packed right-hand sides by data id and not by shape, so that a part must not share its data with the
 * whole.
 */
export function rowsOf<T extends tf.Tensor>(x: T, begin: number, count: number): T {
  const [, ...rest] = x.shape;
  if (!tf.getBackend().startsWith('wasm')) {
    return tf.slice(x, [begin, ...rest.map(() => 0)], [count, ...rest]) as T;
  }
  const backend = tf.backend() as unknown as WasmBackend;
  const length = rest.reduce((product, extent) => product * extent, 1);
  const values = backend.readSync(x.dataId, begin * length, (begin + count) * length);
  return tf.tensor(values, [count, ...rest]) as T;
}

/** The part of tfjs' wasm backend that reads a range of a tensor's numbers, as a copy. */
interface WasmBackend {
  readSync(dataId: object, start: number, end: number): Float32Array;
}
