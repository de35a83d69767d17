import { EnvironmentError, InvalidArgumentError } from './errors';
import { showValue } from './options/show';

/** Whether WebAssembly has vector instructions here. */
export function supportsSimd(): boolean {
  return validates([...zeroVector, 11]);
}

/** Whether WebAssembly has relaxed vector instructions here: a * b + c rounded once or twice, as the processor does. */
export function supportsRelaxedSimd(): boolean {
  const relaxedMultiplyAdd = [253, 133, 2];
  return validates([...zeroVector, ...zeroVector, ...zeroVector, ...relaxedMultiplyAdd, 11]);
}

/** Throws unless `relaxedSimd` is false, or true where it is supported. */
export function requireRelaxedSimd(value: unknown): void {
  const option = 'relaxedSimd';
  if (typeof value !== 'boolean') {
    const accepted = 'true or false';
    const message = `${option} is ${showValue(value)}; accepted: ${accepted}.`;
    throw new InvalidArgumentError('WRONG_TYPE', message, { option, value, accepted });
  }
  if (!value || supportsRelaxedSimd()) return;
  const accepted = 'a browser with WebAssembly relaxed SIMD, Node 22 or newer, or relaxedSimd: false';
  const message = `${option} is true, which needs ${accepted}.`;
  throw new EnvironmentError('NO_RELAXED_SIMD', message, { option, value, accepted });
}

/** i32.const 0, i8x16.splat */
const zeroVector = [65, 0, 253, 15];

/**
 * Whether a module with this body of a function that returns a vector is valid (WebAssembly core specification, 5.5).
 */
function validates(body: readonly number[]): boolean {
  const header = [0, 97, 115, 109, 1, 0, 0, 0];
  const types = [1, 5, 1, 96, 0, 1, 123];
  const functions = [3, 2, 1, 0];
  const code = [10, body.length + 3, 1, body.length + 1, 0, ...body];
  return (
    typeof WebAssembly === 'object' &&
    WebAssembly.validate(new Uint8Array([...header, ...types, ...functions, ...code]))
  );
}
