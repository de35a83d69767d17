import { WeightsError } from '../errors';
import { sizeOf } from './tensor-file';

/** An own field of a parsed JSON object; undefined for anything else, `constructor` and its like included. */
export function field(json: unknown, name: string): unknown {
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, name)) return undefined;
  return (json as Record<string, unknown>)[name];
}

/** Whether a value from a file is a shape of at most 8 axes and 2^30 elements. */
export function isShape(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= 8 &&
    value.every((extent) => Number.isSafeInteger(extent) && extent >= 0) &&
    sizeOf(value) <= 2 ** 30
  );
}

/** The error for a file that has not the form of its kind. */
export function malformedWeights(
  kind: 'tfjs model.json' | 'safetensors file' | 'ONNX file',
  source: string,
  what: string,
  cause?: unknown,
): WeightsError {
  return new WeightsError('MALFORMED_WEIGHTS', `${source} is not a usable ${kind}: ${what}.`, {
    option: 'weights',
    accepted: `a ${kind}`,
    cause,
  });
}
