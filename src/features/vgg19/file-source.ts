import { InvalidArgumentError } from '../../errors';
import { any, oneOf } from '../../options/table';
import { type ByteStore, isByteStore } from '../../storage/byte-store';
import { remoteOptions } from '../../storage/remote-options';
import { type RemoteSettings, remoteStore } from '../../storage/remote-store';
import { type WeightConvention, weightConventions } from './source';
import { requireWeightKind } from './weight-kinds';

/** Options of every source that reads files. */
export interface FileSourceOptions {
  /**
   * Input convention of the weights: colour order, scale and mean. @default as stated in the file; else 'caffe' for a
   * tfjs model, because Keras' VGG-19 has the authors' own weights, and 'torchvision' for safetensors
   */
  readonly convention?: WeightConvention | undefined;
  /** Name in reports. @default `'VGG-19 from <location>'` */
  readonly name?: string | undefined;
}

/** {@link FileSourceOptions}. */
export const fileSourceOptions = {
  convention: oneOf(weightConventions, {}),
  name: any<string>('a text', (value) => typeof value === 'string'),
};

/**
 * The store for a location. Throws for a kind of file that is not read, and for download options where nothing is
 * downloaded.
 *
 * @param given the options as the caller gave them
 * @param entry file of a folder on a server
 */
export function storeOf(
  caller: string,
  location: string | URL | ByteStore,
  given: object,
  settings: RemoteSettings,
  entry: string,
): ByteStore {
  if (isByteStore(location)) {
    requireNoDownloadOptions(caller, given);
    return location;
  }
  requireWeightKind(location);
  return remoteStore(location, settings, entry);
}

/** Throws if a download option is given for a location that is not on a server, where it would have no effect. */
export function requireNoDownloadOptions(caller: string, given: object): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || !Object.hasOwn(remoteOptions, name)) continue;
    const accepted = 'only with a URL';
    const message = `${name} of ${caller} has no effect on weights that are not downloaded; accepted: ${accepted}.`;
    throw new InvalidArgumentError('CONFLICTING_OPTIONS', message, { option: name, value, accepted });
  }
}
