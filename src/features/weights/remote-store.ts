import { InvalidArgumentError } from '../../errors';
import { showValue } from '../../validate';
import type { ByteStore } from './byte-store';

/** Options of everything that is read from a URL. */
export interface RemoteOptions {
  /** Fetches; `fetch` of the platform by default. */
  readonly fetch?: typeof fetch | undefined;
}

/** The names of {@link RemoteOptions}. */
export const remoteOptionNames = ['fetch'] as const;

/** Files on a server. */
export function remoteStore(
  location: string | URL,
  _options: RemoteOptions,
  _defaultEntry: string,
): ByteStore {
  throw new InvalidArgumentError('UNKNOWN_NAME', `weights is ${showValue(location)}`, { option: 'weights' });
}

/** Whether a value is a {@link ByteStore}. */
export function isByteStore(value: unknown): value is ByteStore {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<ByteStore>).readRanges === 'function'
  );
}
