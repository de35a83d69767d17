import { InvalidArgumentError } from '../errors';
import { showText, showValue } from './show';
import {
  acceptedNumbers,
  type NumberRange,
  requireKnownOptions,
  requireName,
  requireNumber,
} from './validate';

/** One option: its accepted values, default, and help and flag of the command. Nothing of this is stated elsewhere. */
export interface Option<T> {
  /** For messages and help: `'a whole number from 1 to 64'`, or the list of names. */
  readonly accepts: string | readonly string[];
  /** Throws an InvalidArgumentError unless `value` is accepted. */
  require(name: string, value: unknown): void;
  readonly default?: T;
  /** A line for the command's help, without the default; only for options with a flag. */
  readonly help?: string;
  /** The command's flag, `'--size <pixels>'`; without a placeholder for options that are true or false. */
  readonly flag?: string;
  /** What the command converts the text of the value to. @default the text itself */
  readonly kind?:
    | 'number'
    | 'bytes'
    | 'scales'
    | 'numbers'
    | 'names'
    | 'stopWhen'
    | 'layerWeights'
    | 'regions'
    | 'texts';
}

/** The optional parts of an {@link Option}. */
export type About<T> = Pick<Option<T>, 'default' | 'help' | 'flag'>;

/** A number in a range. */
export function number<const A extends NumberRange & About<number>>(about: A): Option<number> & A {
  return {
    ...about,
    kind: 'number' as const,
    accepts: acceptedNumbers(about),
    require: (name: string, value: unknown) => requireNumber(name, value, about),
  };
}

/** A number of bytes; the command takes `2GB` too. */
export const bytes = <const A extends About<number>>(about: A): Option<number> & A => ({
  ...number({ ...about, min: 1, integer: true }),
  kind: 'bytes',
});

/** One of a list of names. */
export function oneOf<Name extends string, const A extends About<Name>>(
  names: readonly Name[],
  about: A,
): Option<Name> & A {
  return {
    ...about,
    accepts: names,
    require: (name: string, value: unknown) => requireName(name, value, names),
  };
}

/** Any value that passes `test`. @param accepts describes accepted values in messages */
export function any<T, const A extends About<T> = object>(
  accepts: string,
  test: (value: unknown) => boolean,
  about?: A,
): Option<T> & A {
  return {
    ...(about as A),
    accepts,
    require(name: string, value: unknown) {
      if (test(value)) return;
      throw new InvalidArgumentError('WRONG_TYPE', `${name} is ${showValue(value)}; accepted: ${accepts}.`, {
        option: name,
        value,
        accepted: accepts,
      });
    },
  };
}

/** True or false. */
export const flag = <const A extends About<boolean>>(about: A) =>
  any<boolean, A>('true or false', (value) => typeof value === 'boolean', about);

/** A function. */
export const callback = <T>() => any<T>('a function', (value) => typeof value === 'function');

/** An AbortSignal, also of another realm. */
export const abortSignal = () =>
  any<AbortSignal>(
    'an AbortSignal',
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      typeof (value as AbortSignal).aborted === 'boolean' &&
      typeof (value as AbortSignal).addEventListener === 'function',
  );

/** A table for every option of `Options`. */
export type Table<Options> = {
  readonly [Name in keyof Options]-?: Option<Exclude<Options[Name], undefined>>;
};

/** Options with the defaults of their table filled in. */
export type WithDefaults<Options, T> = {
  readonly [Name in keyof Options & keyof T as T[Name] extends { readonly default: unknown }
    ? Name
    : never]-?: Exclude<Options[Name], undefined>;
} & {
  readonly [Name in keyof Options & keyof T as T[Name] extends { readonly default: unknown }
    ? never
    : Name]: Options[Name];
};

/** All options of a function. */
export interface OptionTable<Options, T> {
  readonly options: T;
  /**
   * Checks the given options and fills in defaults. `undefined` counts as not given.
   * @param path name of the option whose value these options are; messages put it before their names
   * @throws InvalidArgumentError for an unknown option, a value that is not accepted, or options that are not a plain
   *   record
   */
  read(given: Options | undefined, path?: string): WithDefaults<Options, T>;
}

/**
 * Makes the table of a function's options, the source of checks, defaults, help and the command's flags.
 *
 * @param caller the function, for messages
 * @example
 * ```ts
 * const adamOptions = optionTable<AdamOptions>()('adam', { learningRate: number({ min: 0, exclusive: true, default:
 * 0.02 }) }); const { learningRate } = adamOptions.read(given);
 * ```
 */
export function optionTable<Options extends object>() {
  return <const T extends Table<Options>>(caller: string, options: T): OptionTable<Options, T> => ({
    options,
    read(given, path) {
      const record = requirePlainRecord(caller, given === undefined ? {} : given);
      const names = Object.keys(options) as (keyof Options & string)[];
      requireKnownOptions(caller, record, names);
      const complete: Partial<Record<string, unknown>> = {};
      for (const name of names) {
        const option = options[name] as Option<unknown>;
        const value = (record as Record<string, unknown>)[name];
        if (value !== undefined) option.require(path === undefined ? name : `${path}.${name}`, value);
        complete[name] = value === undefined ? option.default : value;
      }
      return complete as WithDefaults<Options, T>;
    },
  });
}

/** Refuses instances of classes: `Object.keys` does not list accessors of their prototype, which would be ignored. */
function requirePlainRecord(caller: string, given: unknown): object {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    const prototype = Object.getPrototypeOf(given) as object | null;
    // In any realm, the prototype of a plain record itself has no prototype.
    if (prototype === null || Object.getPrototypeOf(prototype) === null) return given;
  }
  const accepted = 'a plain record, { name: value }';
  throw new InvalidArgumentError(
    'WRONG_TYPE',
    `The options of ${showText(caller)} are ${showValue(given)}; accepted: ${accepted}.`,
    { option: 'options', value: given, accepted },
  );
}
