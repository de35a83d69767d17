/**
 * The name of a value's built-in class: `'Uint8Array'`, `'ImageData'`. Unlike `instanceof` it holds for
 * values of another realm too, such as a frame, Node's `vm`, or the environment of a test runner.
 */
export const classNameOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
