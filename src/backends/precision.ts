import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../errors';

/** Backends by whether they compute with 32-bit floats. */
const measured = new WeakMap<object, boolean>();

/**
 * Throws `LOW_PRECISION` if the webgl backend computes with 16-bit floats, as on some phones: sums of squares leave
 * their range, which ends at 65504, and gradients fall below it. Found by computing, because `floatPrecision()` of tfjs
 * tells something else: whether 1e-8 survives, which it does not on every device that has 32 bits.
 */
export async function requirePrecision(): Promise<void> {
  if (tf.getBackend() !== 'webgl') return;
  const backend = tf.backend();
  const exact = measured.get(backend) ?? (await isExact());
  measured.set(backend, exact);
  if (exact) return;
  const accepted = 'the wasm backend, useWasm(), or webgpu';
  throw new EnvironmentError(
    'LOW_PRECISION',
    `The webgl backend computes with 16-bit floats on this device, whose range ends at 65504; accepted: ${accepted}.`,
    { option: 'backend', value: 'webgl', accepted },
  );
}

/** Whether a product is exact that needs 13 bits, and one beyond the range of 16-bit floats. */
async function isExact(): Promise<boolean> {
  const numbers = [1 + 2 ** -13, 1e5];
  // tfjs computes less than 128 values on the processor.
  const x = tf.tensor1d(Array.from({ length: 256 }, (_, i) => numbers[i % 2]));
  const ones = tf.onesLike(x);
  const product = tf.mul(x, ones);
  try {
    const found = await product.data();
    return numbers.every((number, i) => Math.abs(found[i] / number - 1) < 2 ** -14);
  } finally {
    tf.dispose([x, ones, product]);
  }
}
