import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import type { Generator } from './generator';

/** Whether a value is a {@link Generator}, also of another copy of this library. */
export function isGenerator(value: unknown): value is Generator {
  const { kind, weights } = (value ?? {}) as Partial<Generator>;
  return kind === 'generator' && typeof weights?.get === 'function';
}

/** Throws unless a value is a generator. @param option name of the argument, for the error */
export function requireGenerator(option: string, value: unknown): asserts value is Generator {
  if (isGenerator(value)) return;
  const accepted = 'what loadGenerator(), trainGenerator() or createGenerator() gives';
  throw new InvalidArgumentError('WRONG_TYPE', `${option} is ${showValue(value)}; accepted: ${accepted}.`, {
    option,
    value,
    accepted,
  });
}
