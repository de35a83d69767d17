import { InvalidArgumentError, WeightsError } from '../errors';
import { showUrl, showValue } from '../options/show';
import { abortSignal, optionTable } from '../options/table';
import { untilAborted } from '../until-aborted';
import type { Bytes } from './byte-store';
import { downloadOptions, type RemoteOptions } from './remote-options';
import { type RemoteSettings, RemoteStore } from './remote-store';

/** A file of one piece: its URL, or its bytes. In Node also a path. */
export type FileSource = string | URL | Uint8Array | ArrayBuffer | Blob;

/** Options of functions that read one file; those of downloads are for URLs only. */
export interface LoadFileOptions extends Omit<RemoteOptions, 'sha256'> {
  /**
   * Cache for downloads. A cached file is used for its URL without asking the server again.
   * @default none
   */
  readonly cache?: RemoteOptions['cache'];
  /** Ends the download; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A kind of file, for checks and messages. */
export interface FileKind {
  /** The function that reads it: `'loadStyle'`. */
  readonly caller: string;
  /** Name of its argument: `'style'`. */
  readonly option: string;
  /** `'a style file'` */
  readonly what: string;
  readonly maxBytes: number;
}

/** Reads files of one kind. */
export interface FileLoader {
  /**
   * @returns the bytes, and a name for messages
   * @throws InvalidArgumentError if the source or an option is of another kind; WeightsError `TOO_LARGE`, or if it
   *   cannot be fetched; the signal's reason
   */
  load(
    source: FileSource,
    options: LoadFileOptions,
  ): Promise<{ readonly bytes: Bytes; readonly name: string }>;
  /**
   * Throws if options of downloads are given for a source that is not downloaded.
   *
   * @returns the signal, the one option that there is
   */
  requireNoDownload(options: LoadFileOptions): AbortSignal | undefined;
}

/** What reads files of a kind from servers and from memory. */
export function fileLoader(kind: FileKind): FileLoader {
  const { caller, option } = kind;
  const table = optionTable<LoadFileOptions>()(caller, { ...downloadOptions, signal: abortSignal() });
  const loader: FileLoader = {
    async load(source, options) {
      const { signal, ...settings } = table.read(options);
      signal?.throwIfAborted();
      if (typeof source === 'string' || source instanceof URL) {
        const url = requireHttp(kind, source);
        const bytes = await download(kind, url, { ...settings, cache: settings.cache ?? false }, signal);
        return { bytes, name: showUrl(url) };
      }
      loader.requireNoDownload(options);
      return { bytes: await bytesOf(kind, source, signal), name: `the ${option}` };
    },
    requireNoDownload(options) {
      const { signal } = table.read(options);
      const dead = Object.entries(options).find(([name, value]) => name !== 'signal' && value !== undefined);
      if (dead === undefined) return signal;
      const [name, value] = dead;
      const accepted = `${name} for an http: or https: URL`;
      throw new InvalidArgumentError(
        'CONFLICTING_OPTIONS',
        `${name} has no effect where ${option} is not downloaded; accepted: ${accepted}.`,
        { option: name, value, accepted },
      );
    },
  };
  return loader;
}

/** The bytes of a source that is in memory. */
async function bytesOf(kind: FileKind, source: unknown, signal: AbortSignal | undefined): Promise<Bytes> {
  if (source instanceof Uint8Array)
    return source.buffer instanceof ArrayBuffer ? (source as Bytes) : source.slice();
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) {
    if (source.size > kind.maxBytes) throw tooLarge(kind, source.size);
    return new Uint8Array(await untilAborted(signal, source.arrayBuffer()));
  }
  throw wrongSource(
    kind,
    showValue(source),
    source,
    `a URL, or the bytes of ${kind.what} as Uint8Array, ArrayBuffer or Blob`,
  );
}

function tooLarge({ option, maxBytes }: FileKind, bytes: number): WeightsError {
  const accepted = `at most ${maxBytes} bytes`;
  const message = `${option} has ${bytes} bytes; accepted: ${accepted}.`;
  return new WeightsError('TOO_LARGE', message, { option, value: bytes, accepted });
}

function requireHttp(kind: FileKind, source: string | URL): URL {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  const url = URL.canParse(source, base) ? new URL(source, base) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  const accepted = 'an http: or https: URL without user name; paths through tfjs-style-transfer/node';
  throw wrongSource(kind, `'${showUrl(source)}'`, showUrl(source), accepted);
}

function wrongSource(
  { option }: FileKind,
  shown: string,
  value: unknown,
  accepted: string,
): InvalidArgumentError {
  const message = `${option} is ${shown}; accepted: ${accepted}.`;
  return new InvalidArgumentError('WRONG_TYPE', message, { option, value, accepted });
}

async function download(
  { option, maxBytes }: FileKind,
  url: URL,
  settings: RemoteSettings,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  const { origin, pathname, search } = url;
  const file = pathname.lastIndexOf('/') + 1;
  const entry = decodeURIComponent(pathname.slice(file));
  const name = showUrl(url);
  const store = new RemoteStore({ name, folders: [origin + pathname.slice(0, file)], search }, settings);
  try {
    return await store.read(entry, maxBytes, { signal });
  } catch (cause) {
    if (!(cause instanceof WeightsError)) throw cause;
    const { code, message, accepted } = cause;
    throw new WeightsError(code, message, { option, value: name, accepted, cause });
  }
}
