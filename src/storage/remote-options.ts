import { any, callback, flag, number, type Table } from '../options/table';
import type { WeightCache } from './byte-cache';

/** Options of everything that is read from a URL. */
export interface RemoteOptions {
  /**
   * Where downloaded files are kept; false for nowhere. What is kept counts as the file at that URL for good.
   * @default the browser's cache in pages and workers, nowhere in Node (`nodeWeights` keeps them on disk)
   */
  readonly cache?: WeightCache | false | undefined;
  /** SHA-256 (hexadecimal) that files must have, by their names. @default none */
  readonly sha256?: Readonly<Record<string, string>> | undefined;
  /**
   * How often in a row a request may fail in passing (429, 5xx, a broken connection) before it is given up.
   * @default 4
   */
  readonly retries?: number | undefined;
  /** Milliseconds before the first repetition; they double from one to the next, up to 8 seconds. @default 500 */
  readonly retryDelayMs?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. @default 60000 */
  readonly stallTimeoutMs?: number | undefined;
  /** Only what is in the cache is used; nothing is fetched. @default false */
  readonly offline?: boolean | undefined;
  /** Fetches, for proxies and headers of your own. @default the platform's `fetch` */
  readonly fetch?: typeof fetch | undefined;
}

/** The option `cache` of every source that keeps what it fetches. */
export const cacheOption = any<WeightCache | false>(
  'a WeightCache (read, write, delete, list), or false',
  (value) => {
    const { read, write } = (value ?? {}) as Partial<WeightCache>;
    return value === false || (typeof read === 'function' && typeof write === 'function');
  },
);

/** {@link RemoteOptions} without `sha256`, for sources of files whose hashes nobody can give. */
export const downloadOptions = {
  cache: cacheOption,
  retries: number({ min: 0, max: 1000, integer: true, default: 4 }),
  retryDelayMs: number({ min: 0, default: 500 }),
  // Longer times than setTimeout's 2^31 - 1 would end at once.
  stallTimeoutMs: number({ min: 1, max: 2 ** 31 - 1, default: 60_000 }),
  offline: flag({ default: false }),
  fetch: callback<typeof fetch>(),
} satisfies Table<Omit<RemoteOptions, 'sha256'>>;

/** {@link RemoteOptions}. */
export const remoteOptions = {
  ...downloadOptions,
  sha256: any<Readonly<Record<string, string>>>(
    'a record of file names and their SHA-256 in 64 hexadecimal digits',
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((hash) => typeof hash === 'string' && /^[0-9a-f]{64}$/i.test(hash)),
  ),
} satisfies Table<RemoteOptions>;
