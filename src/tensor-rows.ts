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
  return (isWasm() ? tf.tensor(rowValues(x, begin, count), [count, ...rest]) : sliceOf(x, begin, count)) as T;
}

/** The numbers of {@link rowsOf}, as a copy. */
export function rowValues(x: tf.Tensor, begin: number, count: number): Float32Array {
  if (isWasm()) {
    const backend = tf.backend() as unknown as WasmBackend;
    const length = x.size / x.shape[0];
    return backend.readSync(x.dataId, begin * length, (begin + count) * length);
  }
  // Not in `tf.tidy`, which would look for tensors in every number of its result.
  const rows = sliceOf(x, begin, count);
  try {
    return rows.dataSync<'float32'>();
  } finally {
    rows.dispose();
  }
}

const isWasm = () => tf.getBackend().startsWith('wasm');

const sliceOf = (x: tf.Tensor, begin: number, count: number): tf.Tensor =>
  tf.slice(x, [begin, ...x.shape.slice(1).map(() => 0)], [count, ...x.shape.slice(1)]);

/** The part of tfjs' wasm backend that reads a range of a tensor's numbers, as a copy. */
interface WasmBackend {
  readSync(dataId: object, start: number, end: number): Float32Array;
}
