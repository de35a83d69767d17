import * as tf from '@tensorflow/tfjs-core';
import { ComputationError } from './errors';

/** What a scope can free: a tensor, a record or list of tensors, whatever has `dispose()`, or a function that frees. */
export type Owned =
  | { dispose?(): unknown }
  | (() => unknown)
  | Readonly<Record<string, tf.Tensor | undefined>>
  | readonly Owned[]
  | undefined;

/** The things that a piece of work has made so far. */
export interface Owner {
  /** Frees `thing` when the work ends, however it ends. @returns the thing */
  temporary<T extends Owned>(thing: T): T;
  /** Frees `thing` if the work fails; when it succeeds the thing belongs to whoever gets the result. @returns the thing */
  result<T extends Owned>(thing: T): T;
}

/**
 * Runs `work` and then frees what it made, the newest first: temporaries always, results only if `work` throws or rejects. A thing
 * whose own `dispose` throws does not keep the others from being freed.
 *
 * @returns what `work` returns; a promise if it is one
 * @example
 * ```ts
 * const loss = owning(({ temporary, result }) => {
 *   const features = temporary(extractor.extract(image, layers));
 *   return sum([result(contentLoss(features)), result(totalVariationLoss())]);
 * });
 * ```
 */
export function owning<T>(work: (owner: Owner) => T): T {
  const made: { readonly thing: Owned; readonly onlyOnFailure: boolean }[] = [];
  const end = (failed: boolean): void => {
    const errors: unknown[] = [];
    for (const { thing, onlyOnFailure } of made.splice(0).reverse()) {
      if (onlyOnFailure && !failed) continue;
      try {
        free(thing);
      } catch (error) {
        errors.push(error);
      }
    }
    // What ended the work is the caller's answer; an error of the clean-up only where there is no other.
    if (!failed && errors.length > 0) throw errors[0];
  };
  const owner: Owner = {
    temporary(thing) {
      made.push({ thing, onlyOnFailure: false });
      return thing;
    },
    result(thing) {
      made.push({ thing, onlyOnFailure: true });
      return thing;
    },
  };
  let value: T;
  try {
    value = work(owner);
  } catch (error) {
    end(true);
    throw error;
  }
  if (value instanceof Promise) {
    const settled = value.then(
      (result: unknown) => {
        end(false);
        return result;
      },
      (error: unknown) => {
        end(true);
        throw error;
      },
    );
    return settled as T;
  }
  end(false);
  return value;
}

/** Frees every thing, also where the `dispose` of one throws; the first such error is thrown at the end. */
export function freeAll(things: readonly Owned[]): void {
  owning(({ temporary }) => {
    for (const thing of things) temporary(thing);
  });
}

function free(thing: Owned): void {
  if (thing === undefined) return;
  if (Array.isArray(thing)) freeAll(thing);
  else if (typeof thing === 'function') thing();
  else if (typeof (thing as { dispose?: unknown }).dispose === 'function')
    (thing as { dispose(): unknown }).dispose();
  else tf.dispose(thing as tf.TensorContainer);
}

/** Whether something that is disposed once may still be used. */
export class Lifetime {
  private over = false;

  /** @param what the thing, for the message: `'The extractor'` */
  constructor(private readonly what: string) {}

  /** Throws `DISPOSED` once the thing has been disposed. */
  requireAlive(): void {
    if (!this.over) return;
    throw new ComputationError('DISPOSED', `${this.what} has been disposed and can no longer be used.`, {
      value: this.what,
      accepted: 'use before dispose(); load or make another one',
    });
  }

  /** Marks the end. @returns true the first time, when there is something to free */
  end(): boolean {
    const first = !this.over;
    this.over = true;
    return first;
  }
}
