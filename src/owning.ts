import * as tf from '@tensorflow/tfjs-core';
import { ComputationError } from './errors';

/**
 * A resource of a scope: a tensor, a record or list of tensors, an object with `dispose()`, or a function that frees.
 */
export type Owned =
  | { dispose?(): unknown }
  | (() => unknown)
  | Readonly<Record<string, tf.Tensor | undefined>>
  | readonly Owned[]
  | undefined;

/** The resources that a piece of work has made so far. */
export interface Owner {
  /**
   * Frees `thing` when the work ends, however it ends.
   * @returns the thing
   */
  temporary<T extends Owned>(thing: T): T;
  /**
   * Frees `thing` if the work fails. When it succeeds, the thing belongs to the caller that gets the result.
   * @returns the thing
   */
  result<T extends Owned>(thing: T): T;
}

/**
 * Runs `work` and then frees its resources, the newest first: temporaries always, results only if `work` throws or
 * rejects, or if freeing a temporary throws, because the caller then receives no result. If one `dispose` throws, the
 * others are still freed. If `work` returns a promise, promises returned by `dispose` are awaited.
 *
 * @returns the result of `work`, a promise if it is one
 * @example
 * ```ts
 * const loss = owning(({ temporary, result }) => {
 *   const features = temporary(extractor.extract(image, layers));
 *   return sum([result(contentLoss(features)), result(totalVariationLoss())]);
 * });
 * ```
 */
export function owning<T>(work: (owner: Owner) => T): T {
  const made: Made[] = [];
  const own =
    (onlyOnFailure: boolean) =>
    <Thing extends Owned>(thing: Thing): Thing => {
      made.push({ thing, onlyOnFailure });
      return thing;
    };
  let value: T;
  try {
    value = work({ temporary: own(false), result: own(true) });
  } catch (error) {
    end(made, true);
    throw error;
  }
  if (value instanceof Promise) return endLater(made, value) as T;
  end(made, false);
  return value;
}

/** Frees all resources, even if the `dispose` of one throws; the first such error is thrown at the end. */
export function freeAll(things: readonly Owned[]): void {
  owning(({ temporary }) => {
    for (const thing of things) temporary(thing);
  });
}

/** Adds `[Symbol.dispose]`, for `using`, to an object with `dispose()` if the runtime has that symbol. */
export function disposable<T extends { dispose(): void }>(thing: T): T & { [Symbol.dispose](): void } {
  if (Symbol.dispose) Object.defineProperty(thing, Symbol.dispose, { value: () => thing.dispose() });
  return thing as T & { [Symbol.dispose](): void };
}

interface Made {
  readonly thing: Owned;
  readonly onlyOnFailure: boolean;
}

/** The resources to free, in order; `errors` are the errors of freeing so far. */
function* toFree(made: Made[], failed: boolean, errors: readonly unknown[]): Generator<Owned> {
  const results: Owned[] = [];
  for (const { thing, onlyOnFailure } of made.splice(0).reverse()) {
    if (onlyOnFailure && !failed) results.push(thing);
    else yield thing;
  }
  if (errors.length > 0) yield* results;
}

function end(made: Made[], failed: boolean): void {
  const errors: unknown[] = [];
  for (const thing of toFree(made, failed, errors)) {
    try {
      const done = free(thing);
      // Synchronous work cannot await it, and an unhandled rejection would end the program.
      if (done instanceof Promise) done.catch(() => {});
    } catch (error) {
      errors.push(error);
    }
  }
  // An error of the work takes precedence over errors of freeing.
  if (!failed && errors.length > 0) throw errors[0];
}

async function endLater<T>(made: Made[], work: Promise<T>): Promise<T> {
  const [outcome] = await Promise.allSettled([work]);
  const failed = outcome.status === 'rejected';
  const errors: unknown[] = [];
  for (const thing of toFree(made, failed, errors)) {
    try {
      await free(thing);
    } catch (error) {
      errors.push(error);
    }
  }
  if (failed) throw outcome.reason;
  if (errors.length > 0) throw errors[0];
  return outcome.value;
}

/** @returns the result of the thing's `dispose` */
function free(thing: Owned): unknown {
  if (thing === undefined) return undefined;
  if (Array.isArray(thing)) return freeAll(thing);
  if (typeof thing === 'function') return thing();
  if (typeof (thing as { dispose?: unknown }).dispose === 'function')
    return (thing as { dispose(): unknown }).dispose();
  return tf.dispose(thing as tf.TensorContainer);
}

/** The state of a disposable object: alive or disposed. */
export class Lifetime {
  private over = false;

  /** @param what name of the object in the message: `'The extractor'` */
  constructor(private readonly what: string) {}

  /** Throws `DISPOSED` after {@link end}. */
  requireAlive(): void {
    if (!this.over) return;
    throw new ComputationError('DISPOSED', `${this.what} has been disposed and can no longer be used.`, {
      value: this.what,
      accepted: 'use before dispose(); load or make another one',
    });
  }

  /** Marks the object as disposed. @returns true at the first call, when its resources are to be freed */
  end(): boolean {
    const first = !this.over;
    this.over = true;
    return first;
  }
}
