import { WeightsError } from '../errors';
import { showText } from '../options/show';
import type { WithDefaults } from '../options/table';
import { browserCache } from './browser-cache';
import type { WeightCache } from './byte-cache';
import type { ByteRange, ByteStore, Bytes, ReadBytesOptions } from './byte-store';
import { CheckedCache, type Pin } from './checked-cache';
import type { Transport } from './download';
import { type FileParts, fetchParts, fetchWhole } from './fetch-file';
import { inTurn } from './in-turn';
import { fileKeyOf, folderKeyOf, locationOf, type RemoteLocation } from './remote-location';
import type { downloadOptions, RemoteOptions } from './remote-options';
import { retrying } from './retry';

/** Options of downloads with their defaults. */
export type RemoteSettings = WithDefaults<Omit<RemoteOptions, 'sha256'>, typeof downloadOptions>;

/**
 * Files on a server or its mirrors, through a cache. A whole file is read in one transfer; parts of a file are of one
 * version of it. Only such bytes, or bytes with the pinned hash, are cached.
 */
export class RemoteStore implements ByteStore {
  readonly name: string;
  readonly entry: string | undefined;
  private readonly cache: WeightCache | undefined;
  /** Cache keys of the files read. */
  private readonly used = new Set<string>();
  /** Index of the folder of the last successful download. */
  private preferred = 0;
  private folderKey: string | undefined;

  constructor(
    private readonly location: RemoteLocation,
    private readonly settings: RemoteSettings,
  ) {
    const { cache } = settings;
    this.name = location.name;
    this.entry = location.entry;
    this.cache = cache === false ? undefined : (cache ?? browserCache());
  }

  async read(file: string, limit: number, options: ReadBytesOptions = {}): Promise<Bytes> {
    const pin = this.pinOf(file);
    const key = await this.keyOf(file);
    const cache = this.cached(options);
    this.used.add(key);
    return this.inTurn(key, options, async () => {
      const kept = await cache.read(key, pin);
      if (kept && kept.bytes.length <= limit) return kept.bytes;
      const bytes = await this.fromAnyFolder(file, options, (url, transport) =>
        fetchWhole(url, pin ?? {}, limit, transport, options.onBytes),
      );
      await cache.write(key, { bytes }, pin);
      return bytes;
    });
  }

  async readRanges(
    file: string,
    ranges: readonly ByteRange[],
    options: ReadBytesOptions = {},
  ): Promise<readonly Bytes[]> {
    const key = await this.keyOf(file);
    const cache = this.cached(options);
    const keys = ranges.map(({ offset, length }) => `${key}.bytes-${offset}-${length}`);
    for (const part of keys) this.used.add(part);
    return this.inTurn(key, options, async () => {
      const kept = await Promise.all(keys.map((part, i) => cache.read(part, { size: ranges[i].length })));
      const version = kept.find((part) => part)?.version;
      const parts = kept.map((part) => (part?.version === version ? part?.bytes : undefined));
      const state: FileParts = { ranges, parts, version, changes: 0 };
      const keep = (i: number, bytes: Bytes) => cache.write(keys[i], { bytes, version: state.version });
      while (parts.includes(undefined))
        await this.fromAnyFolder(file, options, (url, transport) =>
          fetchParts(url, state, transport, keep, options.onBytes),
        );
      return parts as Bytes[];
    });
  }

  async discard(): Promise<void> {
    const cache = this.cached({});
    for (const key of this.used) await cache.delete(key);
    this.used.clear();
  }

  /** Runs a download with retries, from the first folder where it succeeds. */
  private async fromAnyFolder<T>(
    file: string,
    { signal }: ReadBytesOptions,
    download: (url: string, transport: Transport) => Promise<T>,
  ): Promise<T> {
    const { location, settings } = this;
    if (settings.offline)
      throw new WeightsError(
        'NOT_CACHED',
        `${showText(file)} of ${this.name} is not in the cache, and offline: true forbids downloading it.`,
        { option: 'weights', value: file },
      );
    const { stallTimeoutMs, retries, retryDelayMs } = settings;
    const transport = { fetch: settings.fetch ?? globalThis.fetch.bind(globalThis), stallTimeoutMs, signal };
    const path = file.split('/').map(encodeURIComponent).join('/');
    const failures: WeightsError[] = [];
    for (const [i] of location.folders.entries()) {
      const index = (i + this.preferred) % location.folders.length;
      const url = `${location.folders[index]}${path}${location.search ?? ''}`;
      try {
        const result = await retrying(() => download(url, transport), { retries, retryDelayMs, signal });
        this.preferred = index;
        return result;
      } catch (error) {
        if (!(error instanceof WeightsError)) throw error;
        failures.push(error);
      }
    }
    const [first] = failures;
    if (failures.length === 1) throw first;
    const reasons = failures.map((failure) => failure.message).join(' ');
    throw new WeightsError(first.code, `${showText(file)} could not be fetched. ${reasons}`, {
      option: 'weights',
      value: file,
      cause: first,
    });
  }

  /** Runs `work` after other loads in this process that use the same cache key; without a cache, at once. */
  private inTurn<T>(key: string, { signal }: ReadBytesOptions, work: () => Promise<T>): Promise<T> {
    return this.cache ? inTurn(`${this.cache.name} ${key}`, signal, work) : work();
  }

  private cached({ onWarning }: ReadBytesOptions): CheckedCache {
    return new CheckedCache(this.cache, onWarning);
  }

  private pinOf(file: string): Pin | undefined {
    return this.location.pins?.get(file);
  }

  private async keyOf(file: string): Promise<string> {
    this.folderKey ??= this.location.cacheFolder ?? (await folderKeyOf(this.location));
    return `${this.folderKey}/${await fileKeyOf(file)}`;
  }
}

/** A file on a server, or the folder that it is in, as a store. @param defaultEntry file in a folder */
export function remoteStore(
  url: string | URL,
  { sha256: hashes, ...settings }: RemoteSettings & Pick<RemoteOptions, 'sha256'>,
  defaultEntry: string,
): RemoteStore {
  const pins = Object.entries(hashes ?? {}).map(
    ([file, hash]) => [file, { sha256: hash.toLowerCase() }] as const,
  );
  return new RemoteStore({ ...locationOf(url, defaultEntry), pins: new Map(pins) }, settings);
}
