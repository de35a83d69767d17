import { EnvironmentError, InvalidArgumentError } from '../../errors';
import { showText, showValue } from '../../options/show';
import { indexedDbCache } from '../../storage/browser-cache';
import type { CheckpointStore } from './checkpoint';

/** A checkpoint in a page's or worker's IndexedDB. */
export interface BrowserCheckpoint extends CheckpointStore {
  /** Removes the checkpoint; no error if there is none. */
  delete(): Promise<void>;
}

/** Apart from the cache of weights, so that emptying one leaves the other. */
const database = 'tfjs-style-transfer-trainings';

/**
 * A place in IndexedDB for the checkpoint of a training in a page or a worker: after a reload, or a crash of the tab,
 * the same call goes on. It takes twelve bytes a parameter, 1.3 MB for `johnson()`, and remains until it is deleted.
 *
 * @param name of the training: one name for each that is to be kept
 * @throws InvalidArgumentError if the name is no text or empty; EnvironmentError `NO_INDEXED_DB` where there is no
 *   IndexedDB, as in Node
 * @example
 * ```ts
 * const checkpoint = browserCheckpoint('starry-night');
 * const generator = await trainGenerator({ style, checkpoint });
 * await checkpoint.delete();
 * ```
 */
export function browserCheckpoint(name: string): BrowserCheckpoint {
  if (typeof name !== 'string' || name === '') throw noName(name);
  if (typeof indexedDB === 'undefined') throw noDatabase();
  const store = indexedDbCache(database);
  return {
    name: `the checkpoint ${showText(name)}`,
    read: () => store.read(name),
    write: (bytes) => store.write(name, bytes),
    delete: () => store.delete(name),
  };
}

function noName(value: unknown): InvalidArgumentError {
  const accepted = 'a text that is not empty';
  const message = `name is ${showValue(value)}; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_TYPE', message, { option: 'name', value, accepted });
}

function noDatabase(): EnvironmentError {
  const accepted = 'a page or a worker; in Node the path of a file as checkpoint';
  return new EnvironmentError(
    'NO_INDEXED_DB',
    `browserCheckpoint() needs IndexedDB, which is not here; accepted: ${accepted}.`,
    { option: 'checkpoint', accepted },
  );
}
