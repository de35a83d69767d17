import { InvalidArgumentError } from '../../errors';
import { showUrl } from '../../options/show';
import { fileStore } from './file-store';
import { httpStore } from './http-store';
import { s3ObjectOf, s3Store } from './s3-store';
import type { Store, StoreOptions } from './store';

export type { Store, StoreOptions } from './store';

/** Whether a location is a URL of a server, and no path of this machine's files. */
export const isRemote = (location: string): boolean => /^(https?|s3):\/\//i.test(location);

/** Whether a location is a URL, which stands for itself wherever it is written, unlike a path. */
export const isUrl = (location: string): boolean => /^([a-z][a-z0-9+.-]+:\/\/|file:|data:)/i.test(location);

/**
 * The store of a location: a path or a `file:` URL, an `http:` or `https:` URL, or `s3://bucket/key`.
 *
 * @throws InvalidArgumentError `WRONG_TYPE` for URLs of other schemes and for incomplete ones
 */
export function storeOf(option: string, location: string): Store {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1].toLowerCase();
  if (scheme === undefined || scheme === 'file') return fileStore;
  if ((scheme === 'http' || scheme === 'https') && URL.canParse(location)) return httpStore;
  if (scheme === 's3' && s3ObjectOf(location)) return s3Store;
  const accepted = 'a path, a file:, http: or https: URL, or s3://bucket/key';
  throw new InvalidArgumentError(
    'WRONG_TYPE',
    `${option} is '${showUrl(location)}'; accepted: ${accepted}.`,
    {
      option,
      value: location,
      accepted,
    },
  );
}

/** Reads a file of any store. */
export const readFrom = (option: string, location: string, options?: StoreOptions): Promise<Uint8Array> =>
  storeOf(option, location).read(option, location, options);

/** Writes a file of any store. */
export const writeTo = (
  option: string,
  location: string,
  bytes: Uint8Array,
  options?: StoreOptions,
): Promise<void> => storeOf(option, location).write(option, location, bytes, options);
