import { ImageError, InvalidArgumentError, WeightsError } from '../errors';
import { showUrl, showValue } from '../options/show';
import { abortSignal, optionTable } from '../options/table';
import type { Bytes } from '../storage/byte-store';
import { downloadOptions, type RemoteOptions } from '../storage/remote-options';
import { type RemoteSettings, RemoteStore } from '../storage/remote-store';
import { untilAborted } from '../until-aborted';
import { decodeStyle } from './decode-style';
import type { StyleFile } from './style-file';

/** A style file: the URL of one, or its bytes. In Node also a path. */
export type StyleSource = string | URL | Uint8Array | ArrayBuffer | Blob;

/** Options of {@link loadStyle}; those of downloads are for URLs only. */
export interface LoadStyleOptions extends Omit<RemoteOptions, 'sha256'> {
  /**
   * Cache for downloads. A cached file is used for its URL without asking the server again.
   * @default none
   */
  readonly cache?: RemoteOptions['cache'];
  /** Ends the download; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const loadStyleOptions = optionTable<LoadStyleOptions>()('loadStyle', {
  ...downloadOptions,
  signal: abortSignal(),
});

/** Largest style file in bytes: all of VGG-19's layers take 25 MB. */
export const maxStyleBytes = 2 ** 26;

/**
 * Reads a style file, which `saveStyle` or the command `style make` wrote.
 *
 * @param source its URL, or its bytes
 * @returns the style: plain numbers, in no need of disposal
 * @throws InvalidArgumentError if `source` or an option is of another kind; ImageError `MALFORMED_STYLE` if the bytes
 *   are no style file or one of an unknown version, `READ_FAILED` if it cannot be fetched; the signal's reason
 * @example
 * ```ts
 * const style = await loadStyle('https://example.org/styles/mosaic.safetensors');
 * const { image } = await styleTransfer(content, style);
 * ```
 */
export async function loadStyle(source: StyleSource, options: LoadStyleOptions = {}): Promise<StyleFile> {
  const { signal, ...settings } = loadStyleOptions.read(options);
  signal?.throwIfAborted();
  if (typeof source === 'string' || source instanceof URL) {
    const url = requireHttp(source);
    const bytes = await fetchStyle(url, { ...settings, cache: settings.cache ?? false }, signal);
    return decodeStyle('style', showUrl(url), bytes);
  }
  requireNoDownload(options);
  return decodeStyle('style', 'the style', await bytesOf(source, signal));
}

/**
 * Throws if options of downloads are given for a source that is not downloaded.
 *
 * @returns the signal, the one option that there is
 */
export function requireNoDownload(options: LoadStyleOptions): AbortSignal | undefined {
  const { signal } = loadStyleOptions.read(options);
  const dead = Object.entries(options).find(([name, value]) => name !== 'signal' && value !== undefined);
  if (dead === undefined) return signal;
  const [option, value] = dead;
  const accepted = `${option} for an http: or https: URL`;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${option} has no effect where style is not downloaded; accepted: ${accepted}.`,
    { option, value, accepted },
  );
}

/** The bytes of a source that is in memory. */
async function bytesOf(source: unknown, signal: AbortSignal | undefined): Promise<Bytes> {
  if (source instanceof Uint8Array)
    return source.buffer instanceof ArrayBuffer ? (source as Bytes) : source.slice();
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) {
    if (source.size > maxStyleBytes) throw tooLarge(source.size);
    return new Uint8Array(await untilAborted(signal, source.arrayBuffer()));
  }
  const accepted = 'a URL, or the bytes of a style file as Uint8Array, ArrayBuffer or Blob';
  throw new InvalidArgumentError('WRONG_TYPE', `style is ${showValue(source)}; accepted: ${accepted}.`, {
    option: 'style',
    value: source,
    accepted,
  });
}

function tooLarge(bytes: number): ImageError {
  const accepted = `at most ${maxStyleBytes} bytes`;
  const message = `style has ${bytes} bytes; accepted: ${accepted}.`;
  return new ImageError('TOO_LARGE', message, { option: 'style', value: bytes, accepted });
}

function requireHttp(source: string | URL): URL {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  const url = URL.canParse(source, base) ? new URL(source, base) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  const accepted = 'an http: or https: URL without user name; paths through tfjs-style-transfer/node';
  throw new InvalidArgumentError('WRONG_TYPE', `style is '${showUrl(source)}'; accepted: ${accepted}.`, {
    option: 'style',
    value: showUrl(source),
    accepted,
  });
}

async function fetchStyle(
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
    return await store.read(entry, maxStyleBytes, { signal });
  } catch (cause) {
    if (!(cause instanceof WeightsError)) throw cause;
    const { code, message, accepted } = cause;
    throw new ImageError(code === 'DOWNLOAD_FAILED' ? 'READ_FAILED' : code, message, {
      option: 'style',
      value: name,
      accepted,
      cause,
    });
  }
}
