import { InvalidArgumentError } from '../errors';
import { showUrl, showValue } from '../options/show';
import type { Pin } from './checked-cache';
import { sha256OfText } from './sha256';

/** The location of a remote store's files. */
export interface RemoteLocation {
  /** Name for messages. */
  readonly name: string;
  /** URLs of folders with the same files, each ending in `/`, the first preferred. */
  readonly folders: readonly string[];
  /** Query of every file's URL, `?` included. */
  readonly search?: string | undefined;
  readonly entry?: string | undefined;
  /** Known sizes and hashes of files. */
  readonly pins?: ReadonlyMap<string, Pin> | undefined;
  /** Folder in the cache. @default a separate one for each URL */
  readonly cacheFolder?: string | undefined;
}

/** The location of the folder that a file's URL is in, or that a URL names. @param defaultEntry file in a folder */
export function locationOf(url: string | URL, defaultEntry: string): RemoteLocation {
  const { origin, pathname, search } = requireUrl(url);
  const extension = defaultEntry.slice(defaultEntry.lastIndexOf('.'));
  const isFile = pathname.toLowerCase().endsWith(extension);
  const folder = isFile ? pathname.slice(0, pathname.lastIndexOf('/') + 1) : pathname.replace(/\/?$/, '/');
  const entry = isFile ? decoded(pathname.slice(folder.length)) : defaultEntry;
  return { name: showUrl(origin + pathname), folders: [origin + folder], search, entry };
}

/**
 * The URL of a location; relative to the page.
 *
 * @throws InvalidArgumentError `UNKNOWN_WEIGHTS` for anything else, and for user names and passwords, which `fetch`
 *   refuses
 */
export function requireUrl(location: unknown): URL {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  const url = typeof location === 'string' || location instanceof URL ? parsed(location, base) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url && isHttp && url.username === '' && url.password === '') return url;
  const accepted = isHttp
    ? 'a URL without user name and password; a custom `fetch` can send an Authorization header'
    : 'an http: or https: URL, a WeightSource, a tf.io.IOHandler; folders on disk through tfjs-style-transfer/node';
  throw unknownWeights(url ? showUrl(url) : location, accepted);
}

/** The error for an option `weights` that names none. */
export function unknownWeights(value: unknown, accepted: string, cause?: unknown): InvalidArgumentError {
  const shown = typeof value === 'string' ? `'${showUrl(value)}'` : showValue(value);
  const message = `weights is ${shown}; accepted: ${accepted}.`;
  return new InvalidArgumentError('UNKNOWN_WEIGHTS', message, { option: 'weights', value, accepted, cause });
}

/** The default cache folder for the files of a location. */
export async function folderKeyOf({ folders, search = '' }: RemoteLocation): Promise<string> {
  const host = new URL(folders[0]).host.toLowerCase().replace(/[^a-z0-9.-]/g, '_');
  return `${host}/${(await sha256OfText(folders[0] + search)).slice(0, 16)}`;
}

/** A file's name as a valid key; different names give different keys. */
export async function fileKeyOf(file: string): Promise<string> {
  const lower = file.toLowerCase().replace(/[^a-z0-9._/-]/g, '_');
  const readable = lower.replace(/(^|\/)\./g, '$1_').slice(-120);
  if (readable === file) return file;
  return `${(await sha256OfText(file)).slice(0, 8)}-${readable.replaceAll('/', '_')}`;
}

function parsed(location: string | URL, base: string | undefined): URL | undefined {
  try {
    return new URL(location, base);
  } catch {
    return undefined;
  }
}

/** A segment of a URL's path, decoded; unchanged if its escapes are wrong. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
