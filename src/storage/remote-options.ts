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
  /** How often in a row a request may fail in passing (429, 5xx, a broken connection) before it is given up. @default 4 */
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

/** The names of {@link RemoteOptions}. */
export const remoteOptionNames = [
  'cache',
  'sha256',
  'retries',
  'retryDelayMs',
  'stallTimeoutMs',
  'offline',
  'fetch',
] as const satisfies readonly (keyof RemoteOptions)[];
