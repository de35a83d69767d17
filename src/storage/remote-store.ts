import { WeightsError } from '../errors';
import { showText, showUrl } from '../options/show';
import type { WithDefaults } from '../options/table';
import { browserCache } from './browser-cache';
import type { WeightCache } from './byte-cache';
import type { ByteRange, ByteStore, Bytes, ReadBytesOptions } from './byte-store';
import { CheckedCache, type Pin } from './checked-cache';
import { Download, type Transport, wrongSize } from './download';
import { inTurn } from './in-turn';
import { RangeDownload, type VersionedPieces } from './range-download';
import { fileKeyOf, folderKeyOf, locationOf, type RemoteLocation } from './remote-location';
import type { downloadOptions, RemoteOptions } from './remote-options';
import { PassingFailure, retrying } from './retry';
import { sha256, sha256OfText } from './sha256';

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
  private readonly sizes = new Map<string, number>();
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

  prefersWhole(file: string, size: number | undefined): boolean {
    return this.pinOf(file) !== undefined || size === undefined || size <= wholeFileBytes;
  }

  async size(file: string, options: ReadBytesOptions = {}): Promise<number> {
    const known = this.pinOf(file)?.size ?? this.sizes.get(file);
    const kept = known ?? (await this.cached(options).read(await this.keyOf(file)))?.length;
    const asked = kept ?? (await this.fromAnyFolder(file, options, sizeOf));
    // If the server does not state the size, the whole file is read.
    const size = asked ?? (await this.read(file, unsizedFileBytes, options)).length;
    this.sizes.set(file, size);
    return size;
  }

  async read(file: string, limit: number, options: ReadBytesOptions = {}): Promise<Bytes> {
    const pin = this.pinOf(file);
    const key = await this.keyOf(file);
    const cache = this.cached(options);
    this.used.add(key);
    return this.inTurn(key, options, async () => {
      const kept = await cache.read(key, pin);
      if (kept && kept.length <= limit) return kept;
      const bytes = await this.fromAnyFolder(file, options, (url, transport) => ({
        run: () => fetchWhole(url, pin ?? {}, limit, transport, options.onBytes),
      }));
      await cache.write(key, bytes, pin);
      this.sizes.set(file, bytes.length);
      return bytes;
    });
  }

  async *readRanges(
    file: string,
    ranges: readonly ByteRange[],
    options: ReadBytesOptions = {},
  ): AsyncGenerator<Bytes> {
    const key = await this.keyOf(file);
    yield* await this.inTurn(key, options, () => this.rangesOf(file, key, ranges, options));
  }

  async discard(): Promise<void> {
    const cache = this.cached({});
    for (const key of this.used) await cache.delete(key);
    this.used.clear();
    this.sizes.clear();
  }

  /**
   * Parts of a file from the cache and the server. The cache stores the parts of one version of a file under keys with
   * that version, and the version under a key of its own.
   */
  private async rangesOf(
    file: string,
    key: string,
    ranges: readonly ByteRange[],
    options: ReadBytesOptions,
  ): Promise<readonly Bytes[]> {
    const cache = this.cached(options);
    const versionKey = `${key}.version`;
    this.used.add(versionKey);
    const stored = await cache.read(versionKey);
    const keptVersion = stored && new TextDecoder().decode(stored);
    const keyOfRange = async (range: ByteRange, version: string) =>
      `${key}.${(await sha256OfText(version)).slice(0, 12)}.bytes-${range.offset}-${range.length}`;
    const kept = await Promise.all(
      ranges.map(async (range) => {
        if (keptVersion === undefined) return undefined;
        const rangeKey = await keyOfRange(range, keptVersion);
        this.used.add(rangeKey);
        const bytes = await cache.read(rangeKey);
        return bytes?.length === range.length ? bytes : undefined;
      }),
    );
    if (kept.every((bytes) => bytes !== undefined)) return kept;
    const known: VersionedPieces = { version: keptVersion, pieces: kept };
    let download: RangeDownload | undefined;
    try {
      return await this.fromAnyFolder(file, options, (url, transport) => {
        download = new RangeDownload(url, ranges, known, this.sizes.get(file), transport, options.onBytes);
        return download;
      });
    } finally {
      // Also after a failure, so that the next load does not fetch these pieces again.
      const { version, pieces } = download?.fetched ?? known;
      if (version !== undefined && pieces.some((piece, i) => piece && piece !== kept[i])) {
        if (version !== keptVersion) await this.forgetRanges(key, cache);
        await cache.write(versionKey, new TextEncoder().encode(version));
        for (const [i, piece] of pieces.entries()) {
          const rangeKey = await keyOfRange(ranges[i], version);
          this.used.add(rangeKey);
          if (piece && piece !== kept[i]) await cache.write(rangeKey, piece);
        }
      }
    }
  }

  /** Removes the parts of a version that the server no longer has. */
  private async forgetRanges(key: string, cache: CheckedCache): Promise<void> {
    const files = (await this.cache?.list().catch(() => [])) ?? [];
    for (const file of files)
      if (file.key.startsWith(`${key}.`) && /\.bytes-\d+-\d+$/.test(file.key)) await cache.delete(file.key);
  }

  /** Runs a download with retries, from the first folder where it succeeds. */
  private async fromAnyFolder<T>(
    file: string,
    { signal }: ReadBytesOptions,
    downloadFrom: (url: string, transport: Transport) => Attempt<T>,
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
        const { run, progress } = downloadFrom(url, transport);
        const result = await retrying(run, { retries, retryDelayMs, signal, progress });
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

/** Files up to this size are fetched and cached whole even if only a part is needed. */
const wholeFileBytes = 2 ** 23;
/** Limit for files that are read to find their size. */
const unsizedFileBytes = 2 ** 26;

/** A download that may be tried again. */
interface Attempt<T> {
  readonly run: () => Promise<T>;
  readonly progress?: () => number;
}

/** Size of the file; undefined if the server does not state it. */
const sizeOf = (url: string, transport: Transport): Attempt<number | undefined> => ({
  async run() {
    for (const method of ['HEAD', 'GET'] as const) {
      try {
        const download = await Download.start(url, { method }, transport);
        download.close();
        if (download.total !== undefined) return download.total;
      } catch (error) {
        // Not every server answers HEAD.
        if (method === 'GET' || !(error instanceof WeightsError)) throw error;
      }
    }
    return undefined;
  },
});

/** All of a file, in one transfer. */
async function fetchWhole(
  url: string,
  { size, sha256: hash }: Pin,
  limit: number,
  transport: Transport,
  onBytes: ReadBytesOptions['onBytes'],
): Promise<Bytes> {
  const download = await Download.start(url, {}, transport);
  try {
    const { total } = download;
    const exact = size === undefined ? undefined : `${size} bytes`;
    if (exact && total !== undefined && total !== size) throw wrongSize(url, total, exact);
    const most = size ?? limit;
    const tooLarge = new WeightsError('TOO_LARGE', `${showUrl(url)} is larger than ${most} bytes.`, {
      option: 'weights',
      value: total,
      accepted: `at most ${most} bytes`,
    });
    if (total !== undefined && total > most) throw tooLarge;
    const chunks: Bytes[] = [];
    let loaded = 0;
    for await (const chunk of download.chunks()) {
      chunks.push(chunk);
      loaded += chunk.length;
      if (loaded > (total ?? most)) throw tooLarge;
      onBytes?.(loaded);
    }
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    if (total !== undefined && bytes.length < total) {
      const message = `${showUrl(url)} ended after ${bytes.length} bytes instead of ${total}`;
      throw new PassingFailure(message, { code: 'TRUNCATED' });
    }
    if (exact && bytes.length !== size) throw wrongSize(url, bytes.length, exact);
    if (hash) await requireHash(bytes, hash, url);
    return bytes;
  } finally {
    download.close();
  }
}

async function requireHash(bytes: Bytes, expected: string, url: string): Promise<void> {
  const found = await sha256(bytes);
  if (found === expected) return;
  const message = `${showUrl(url)} is not the expected file: its SHA-256 is ${found}, expected ${expected}.`;
  throw new WeightsError('WRONG_HASH', message, { option: 'weights', value: found, accepted: expected });
}
