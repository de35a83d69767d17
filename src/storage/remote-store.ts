import { WeightsError } from '../errors';
import { requireNumber } from '../options/validate';
import { browserCache } from './browser-cache';
import type { WeightCache } from './byte-cache';
import type { ByteRange, ByteStore, Bytes, ReadBytesOptions } from './byte-store';
import { CheckedCache, type Pin } from './checked-cache';
import { inTurn } from './in-turn';
import { PartialKeeper } from './partial-keeper';
import { Receiver } from './receiver';
import { RemoteFile, type Transport } from './remote-file';
import { fileKeyOf, folderKeyOf, type RemoteLocation, requireUrl } from './remote-location';
import type { RemoteOptions } from './remote-options';
import { retrying } from './retry';
import { sha256 } from './sha256';

/** Files below a URL: of the folder that a file is in, or of a folder. */
export function remoteStore(
  location: string | URL,
  options: RemoteOptions,
  defaultEntry: string,
): RemoteStore {
  const url = requireUrl(location);
  const extension = defaultEntry.slice(defaultEntry.lastIndexOf('.'));
  const isFile = url.pathname.toLowerCase().endsWith(extension);
  const folder = new URL(isFile ? '.' : url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`, url);
  const entry = isFile
    ? decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1))
    : defaultEntry;
  const pins = Object.fromEntries(
    Object.entries(options.sha256 ?? {}).map(([file, hash]) => [file, { sha256: hash.toLowerCase() }]),
  );
  const name = `${url.origin}${url.pathname}`;
  return new RemoteStore(
    { name, folders: [`${folder.origin}${folder.pathname}`], search: url.search, entry, pins },
    options,
  );
}

/** Files on a server or several alike, through a cache, each checked before it is used. */
export class RemoteStore implements ByteStore {
  readonly name: string;
  readonly entry: string | undefined;
  private readonly cache: WeightCache | undefined;
  private readonly transport: Transport;
  private readonly sizes = new Map<string, number>();
  private readonly retries: number;
  private readonly retryDelayMs: number;
  private readonly offline: boolean;
  /** Index of the folder that answered last. */
  private preferred = 0;

  constructor(
    private readonly location: RemoteLocation,
    options: RemoteOptions = {},
  ) {
    const { retries = 4, retryDelayMs = 500, stallTimeoutMs = 60_000, offline = false, cache } = options;
    requireNumber('retries', retries, { min: 0, integer: true });
    requireNumber('retryDelayMs', retryDelayMs, { min: 0 });
    requireNumber('stallTimeoutMs', stallTimeoutMs, { min: 1 });
    this.name = location.name;
    this.entry = location.entry;
    this.cache = cache === false ? undefined : (cache ?? browserCache());
    this.transport = { fetch: options.fetch ?? globalThis.fetch.bind(globalThis), stallTimeoutMs };
    this.retries = retries;
    this.retryDelayMs = retryDelayMs;
    this.offline = offline;
  }

  prefersWhole(file: string, size: number | undefined): boolean {
    return this.pinOf(file) !== undefined || size === undefined || size <= wholeFileBytes;
  }

  async size(file: string, options: ReadBytesOptions = {}): Promise<number> {
    const known = this.pinOf(file)?.size ?? this.sizes.get(file);
    const kept = known ?? (await this.cached(options).read(await this.keyOf(file)))?.length;
    const asked = kept ?? (await this.askSize(file, options));
    const size = asked ?? (await this.read(file, unsizedFileBytes, options)).length;
    this.sizes.set(file, size);
    return size;
  }

  async read(file: string, limit: number, options: ReadBytesOptions = {}): Promise<Bytes> {
    const pin = this.pinOf(file);
    const key = await this.keyOf(file);
    this.used.add(key);
    const cache = this.cached(options);
    return this.inTurnFor(key, options, async () => {
      const kept = await cache.read(key, pin);
      if (kept && kept.length <= limit) return kept;
      const mirrors = this.mirrorsOf(file);
      try {
        const part = { file, key, offset: 0, length: pin?.size, limit: pin?.size ?? limit, whole: true, pin };
        const bytes = await this.fetchPart(mirrors, part, cache, options);
        await cache.write(key, bytes, pin);
        this.sizes.set(file, bytes.length);
        return bytes;
      } finally {
        for (const mirror of mirrors) mirror.close();
      }
    });
  }

  async *readRanges(
    file: string,
    ranges: readonly ByteRange[],
    options: ReadBytesOptions = {},
  ): AsyncGenerator<Bytes> {
    const cache = this.cached(options);
    const mirrors = this.mirrorsOf(file);
    const fileKey = await this.keyOf(file);
    try {
      for (let i = 0; i < ranges.length; ) {
        const kept = await this.keptRange(file, ranges[i], cache);
        const pieces = kept
          ? [kept]
          : await this.inTurnFor(fileKey, options, () =>
              this.nextPieces(mirrors, file, ranges.slice(i), cache, options),
            );
        yield* pieces;
        i += pieces.length;
      }
    } finally {
      for (const mirror of mirrors) mirror.close();
    }
  }

  /** The first of these ranges from the cache, where another load has just put it, or else fetched, with those that join it. */
  private async nextPieces(
    mirrors: readonly RemoteFile[],
    file: string,
    ranges: readonly ByteRange[],
    cache: CheckedCache,
    options: ReadBytesOptions,
  ): Promise<readonly Bytes[]> {
    const kept = await this.keptRange(file, ranges[0], cache);
    if (kept) return [kept];
    const run = [ranges[0]];
    while (joins(run, ranges[run.length]) && !(await this.keptRange(file, ranges[run.length], cache)))
      run.push(ranges[run.length]);
    const { offset } = run[0];
    const length = run.reduce((sum, range) => sum + range.length, 0);
    const key = await this.keyOf(file, run[0]);
    const part = { file, key, offset, length, limit: length, whole: false };
    const bytes = await this.fetchPart(mirrors, part, cache, options);
    const pieces = run.map((range) =>
      bytes.subarray(range.offset - offset, range.offset - offset + range.length),
    );
    for (const [i, piece] of pieces.entries()) await cache.write(await this.keyOf(file, run[i]), piece);
    return pieces;
  }

  /** Does what may fetch and keep something after the other loads of this process that do; without a cache there is nothing to wait for. */
  private inTurnFor<T>(key: string, { signal }: ReadBytesOptions, work: () => Promise<T>): Promise<T> {
    return this.cache ? inTurn(`${this.cache.name} ${key}`, signal, work) : work();
  }

  async discard(): Promise<void> {
    const cache = this.cached({});
    for (const key of this.used) await cache.delete(key);
    this.used.clear();
    this.sizes.clear();
  }
  /** Keys of the files and parts that were read. */
  private readonly used = new Set<string>();

  private async keptRange(file: string, range: ByteRange, cache: CheckedCache): Promise<Bytes | undefined> {
    const key = await this.keyOf(file, range);
    this.used.add(key);
    const kept = await cache.read(key);
    return kept?.length === range.length ? kept : undefined;
  }

  /** Fetches a part of a file from the first folder that has it, continuing an interrupted download. */
  private async fetchPart(
    mirrors: readonly RemoteFile[],
    part: FilePart,
    cache: CheckedCache,
    options: ReadBytesOptions,
  ): Promise<Bytes> {
    const { signal, onBytes } = options;
    if (this.offline) throw this.notCached(part.file);
    const receiver = new Receiver(`${part.file} of ${this.name}`, part.length, part.limit, part.whole);
    const partial = new PartialKeeper(receiver, part.key, cache);
    let resumed = await partial.restore();
    const failures: WeightsError[] = [];
    const untried = mirrors.map((_, i) => (i + this.preferred) % mirrors.length);
    for (let index = untried.shift(); index !== undefined; index = untried.shift()) {
      try {
        await retrying(
          () =>
            mirrors[index].fill(receiver, part.offset, signal, () => {
              onBytes?.(receiver.filled);
              partial.keepNowAndThen();
            }),
          { retries: this.retries, retryDelayMs: this.retryDelayMs, signal, progress: () => receiver.filled },
        );
        await requireHash(receiver.bytes, part.pin, mirrors[index].url);
        this.preferred = index;
        await partial.remove();
        return receiver.bytes;
      } catch (error) {
        if (!(error instanceof WeightsError)) {
          await partial.keep();
          throw error;
        }
        // A connection that broke may be continued; a file that is not the expected one may not.
        if (error.code !== 'DOWNLOAD_FAILED') receiver.reset();
        receiver.version = undefined;
        // What was continued may have begun wrong.
        if (error.code === 'WRONG_HASH' && resumed) untried.unshift(index);
        else failures.push(error);
        resumed = false;
      }
    }
    await partial.keep();
    throw failures.length === 1 ? failures[0] : allFailed(part.file, failures);
  }

  private async askSize(file: string, { signal }: ReadBytesOptions): Promise<number | undefined> {
    if (this.offline) throw this.notCached(file);
    const failures: WeightsError[] = [];
    for (const mirror of this.mirrorsOf(file)) {
      try {
        return await retrying(() => mirror.size(signal), {
          retries: this.retries,
          retryDelayMs: this.retryDelayMs,
          signal,
          progress: () => 0,
        });
      } catch (error) {
        if (!(error instanceof WeightsError)) throw error;
        failures.push(error);
      }
    }
    throw failures.length === 1 ? failures[0] : allFailed(file, failures);
  }

  private notCached(file: string): WeightsError {
    return new WeightsError(
      'NOT_CACHED',
      `${file} of ${this.name} is not in the cache, and nothing is to be fetched.`,
      {
        option: 'weights',
        value: file,
      },
    );
  }

  private cached({ onWarning }: ReadBytesOptions): CheckedCache {
    return new CheckedCache(this.cache, onWarning);
  }

  private pinOf(file: string): Pin | undefined {
    const { pins } = this.location;
    return pins && Object.hasOwn(pins, file) ? pins[file] : undefined;
  }

  private urlOf(file: string, folder: number): string {
    const path = file.split('/').map(encodeURIComponent).join('/');
    return `${this.location.folders[folder]}${path}${this.location.search ?? ''}`;
  }

  private mirrorsOf(file: string): RemoteFile[] {
    return this.location.folders.map((_, i) => new RemoteFile(this.urlOf(file, i), this.transport));
  }

  private async keyOf(file: string, range?: ByteRange): Promise<string> {
    this.folderKey ??= this.location.cacheFolder ?? (await folderKeyOf(this.location));
    const part = range ? `.bytes-${range.offset}-${range.length}` : '';
    return `${this.folderKey}/${await fileKeyOf(file)}${part}`;
  }
  private folderKey: string | undefined;
}

/** Files to this size are fetched and kept whole though only a part is needed. */
const wholeFileBytes = 2 ** 23;
/** Where a server does not say a file's size, it is read to find out, up to here. */
const unsizedFileBytes = 2 ** 26;
/** Below this size, a request of its own costs more than the bytes. */
const largeRange = 2 ** 16;

/** What of a file one request is to bring. */
interface FilePart {
  readonly file: string;
  readonly key: string;
  readonly offset: number;
  /** Undefined: to the file's end, `limit` bytes at most. */
  readonly length?: number | undefined;
  readonly limit: number;
  /** Whether that is all of the file. */
  readonly whole: boolean;
  readonly pin?: Pin | undefined;
}

/** Whether one request should bring a range along with those before it: it follows them, and only one of all is large. */
function joins(run: readonly ByteRange[], next: ByteRange | undefined): boolean {
  const last = run[run.length - 1];
  if (!next || last.offset + last.length !== next.offset) return false;
  return [...run, next].filter(({ length }) => length >= largeRange).length <= 1;
}

async function requireHash(bytes: Bytes, pin: Pin | undefined, url: string): Promise<void> {
  if (!pin?.sha256) return;
  const found = await sha256(bytes);
  if (found === pin.sha256) return;
  throw new WeightsError(
    'WRONG_HASH',
    `${url} is not the expected file: its SHA-256 is ${found}, expected ${pin.sha256}.`,
    {
      option: 'weights',
      value: found,
      accepted: pin.sha256,
    },
  );
}

function allFailed(file: string, failures: readonly WeightsError[]): WeightsError {
  const [first] = failures;
  const reasons = failures.map((failure) => failure.message).join(' ');
  return new WeightsError(first.code, `${file} could not be fetched. ${reasons}`, {
    option: 'weights',
    value: file,
    cause: first,
  });
}
