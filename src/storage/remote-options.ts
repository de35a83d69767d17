import { any, callback, flag, number, type Table } from '../options/table';
import type { WeightCache } from './byte-cache';

/** Options of sources that read from URLs. */
export interface RemoteOptions {
  /**
   * Cache for downloads; false for none. A cached file is used for its URL without asking the server again.
   * @default the browser's cache in pages and workers, none in Node (`nodeWeights` caches on disk)
   */
  readonly cache?: WeightCache | false | undefined;
  /** SHA-256 (hexadecimal) that files must have, by their names. @default none */
  readonly sha256?: Readonly<Record<string, string>> | undefined;
  /**
   * Number of consecutive temporary failures (429, 5xx, a broken connection) before a request is given up.
   * @default 4
   */
  readonly retries?: number | undefined;
  /** Milliseconds before the first repetition; they double from one to the next, up to 8 seconds. @default 500 */
  readonly retryDelayMs?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. @default 60000 */
  readonly stallTimeoutMs?: number | undefined;
  /** Use the cache only and download nothing. @default false */
  readonly offline?: boolean | undefined;
  /** Custom `fetch`, for proxies and headers. @default the platform's `fetch` */
  readonly fetch?: typeof fetch | undefined;
}

/** The option `cache` of sources that download. */
export const cacheOption = any<WeightCache | false>(
  'a WeightCache (read, write, delete, list), or false',
  (value) => {
    const { read, write } = (value ?? {}) as Partial<WeightCache>;
    return value === false || (typeof read === 'function' && typeof write === 'function');
  },
);

/** {@link RemoteOptions} without `sha256`, for sources of files without known hashes. */
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
