import type { ErrorCode } from '../error-codes';
import {
  ComputationError,
  EnvironmentError,
  type ErrorDetails,
  ImageError,
  InvalidArgumentError,
  StyleTransferError,
  WeightsError,
} from '../errors';
import { showValue } from '../options/show';

/** A thrown value as plain data, for the way from a worker to its page. */
export type ErrorRecord =
  | {
      readonly kind: 'error';
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** Of errors of this library. */
      readonly code: ErrorCode | undefined;
      readonly details: Omit<ErrorDetails, 'cause'>;
      readonly cause: ErrorRecord | undefined;
    }
  | { readonly kind: 'value'; readonly value: unknown };

/** A record of a thrown value. What cannot cross, such as a function, becomes the text that messages have for it. */
export function recordOf(thrown: unknown, depth = 0): ErrorRecord {
  if (!isError(thrown)) return { kind: 'value', value: crossing(thrown) };
  const { name, message, stack, cause } = thrown;
  const { code, option, value, accepted } = thrown as Partial<StyleTransferError>;
  const ours = name in classes && typeof code === 'string';
  return {
    kind: 'error',
    name: String(name),
    message: String(message),
    stack: typeof stack === 'string' ? stack : undefined,
    code: ours ? code : undefined,
    details: ours ? { option, value: crossing(value), accepted } : {},
    // A chain of causes may be a circle.
    cause: cause === undefined || depth > 4 ? undefined : recordOf(cause, depth + 1),
  };
}

/** The thrown value of a record: an error of the same class, where it is one of this library or of the platform. */
export function errorOf(record: ErrorRecord): unknown {
  if (record.kind === 'value') return record.value;
  const { name, message, stack, code, details } = record;
  const cause = record.cause && errorOf(record.cause);
  const error = code
    ? new (classes[name] ?? StyleTransferError)(code, message, { ...details, cause })
    : platformError(name, message, cause);
  // The place in the worker, which is where to look.
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, configurable: true });
  return error;
}

const classes: Readonly<Partial<Record<string, typeof StyleTransferError>>> = {
  StyleTransferError,
  InvalidArgumentError,
  ImageError,
  WeightsError,
  EnvironmentError,
  ComputationError,
};

const standardClasses: Readonly<Partial<Record<string, ErrorConstructor>>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function platformError(name: string, message: string, cause: unknown): Error {
  const Standard = standardClasses[name];
  if (Standard) return new Standard(message, cause === undefined ? undefined : { cause });
  if (/^[A-Z]\w*Error$/.test(name) && typeof DOMException === 'function')
    return new DOMException(message, name);
  return Object.assign(new Error(message, { cause }), { name });
}

/** Whether a value has what errors have; errors of another realm are not instances of this one's `Error`. */
const isError = (value: unknown): value is Error =>
  value instanceof Error ||
  (typeof value === 'object' && value !== null && 'message' in value && 'name' in value);

function crossing(value: unknown): unknown {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' ? showValue(value) : value;
  // Never a whole image.
  if (Array.isArray(value) && value.length <= 64) {
    try {
      return structuredClone(value);
    } catch {}
  }
  return showValue(value);
}
