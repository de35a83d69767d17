import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import type { Pin } from './checked-cache';
import { sha256OfText } from './sha256';

/** Where a {@link RemoteStore}'s files are. */
export interface RemoteLocation {
  /** For people. */
  readonly name: string;
  /** URLs of folders with the same files, each ending in `/`, the first preferred. */
  readonly folders: readonly string[];
  /** Query of every file's URL, `?` included. */
  readonly search?: string | undefined;
  readonly entry?: string | undefined;
  /** What is known of the files. */
  readonly pins?: Readonly<Record<string, Pin>> | undefined;
  /** Folder in the cache. @default one of its own for each URL */
  readonly cacheFolder?: string | undefined;
}

/** The URL that a location is. Relative ones belong to the page. */
export function requireUrl(location: unknown): URL {
  const accepted =
    'an http: or https: URL, a WeightSource, a tf.io.IOHandler; folders on disk through tfjs-style-transfer/node';
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  try {
    if (typeof location !== 'string' && !(location instanceof URL)) throw new TypeError('no URL');
    const url = new URL(location, base);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // Said below.
  }
  const value = location instanceof URL ? location.href : location;
  throw new InvalidArgumentError(
    'UNKNOWN_WEIGHTS',
    `weights is ${showValue(value)}; accepted: ${accepted}.`,
    {
      option: 'weights',
      value,
      accepted,
    },
  );
}

/** The folder in a cache for the files of a location that names none. */
export async function folderKeyOf({ folders, search = '' }: RemoteLocation): Promise<string> {
  const host = new URL(folders[0]).host.toLowerCase().replace(/[^a-z0-9.-]/g, '_');
  return `${host}/${(await sha256OfText(folders[0] + search)).slice(0, 16)}`;
}

/** A file's name, made fit for a key: two that differ stay different. */
export async function fileKeyOf(file: string): Promise<string> {
  const key = file.toLowerCase().replace(/[^a-z0-9._/-]/g, '_');
  const readable = key
    .split('/')
    .map((segment) => segment.replace(/^\./, '_'))
    .join('/')
    .slice(-120);
  return readable === file
    ? file
    : `${(await sha256OfText(file)).slice(0, 8)}-${readable.replaceAll('/', '_')}`;
}
