import { optionTable } from '../../options/table';
import { type ByteStore, isByteStore } from '../../storage/byte-store';
import { downloadOptions, type RemoteOptions } from '../../storage/remote-options';
import { remoteStore } from '../../storage/remote-store';
import { openSafetensors } from '../../weights/safetensors';
import { requireNoDownloadOptions, sourceOptions } from './layers-model-weights';
import { torchNaming } from './naming';
import type { WeightConvention, WeightSource } from './source';
import { tensorSource } from './tensor-source';
import { requireWeightKind } from './weight-kinds';

/** Options of {@link safetensorsWeights}; the download options are for URLs only. */
export interface SafetensorsOptions extends Omit<RemoteOptions, 'sha256'> {
  /**
   * Input convention of the weights. @default `weightConvention` in the file's metadata, else 'torchvision'
   */
  readonly convention?: WeightConvention | undefined;
  /** Name in reports. @default `'VGG-19 from <location>'` */
  readonly name?: string | undefined;
}

const safetensorsOptions = optionTable<SafetensorsOptions>()('safetensorsWeights', {
  ...sourceOptions,
  ...downloadOptions,
});

/**
 * VGG-19 in a `.safetensors` file with torchvision's names (`features.0.weight`, OIHW) in F32, F16 or BF16. Of a file
 * on a server only the header and the requested layers are fetched (HTTP Range), all from one version of the file; if
 * the server ignores Range or names no version (ETag, Last-Modified), the file is read up to the last requested layer.
 *
 * @param location URL of the file, or a folder of files that names one
 * @throws InvalidArgumentError if the location is none of these or an option is wrong; reading throws a `WeightsError`
 * @example
 * ```ts
 * const source = safetensorsWeights('https://huggingface.co/timm/vgg19.tv_in1k/resolve/main/model.safetensors');
 * ```
 */
export function safetensorsWeights(
  location: string | URL | ByteStore,
  options: SafetensorsOptions = {},
): WeightSource {
  const settings = safetensorsOptions.read(options);
  if (typeof location === 'string' || location instanceof URL) requireWeightKind(location);
  if (isByteStore(location)) requireNoDownloadOptions('safetensorsWeights', options);
  const store = isByteStore(location) ? location : remoteStore(location, settings, 'model.safetensors');
  return tensorSource({
    name: settings.name ?? `VGG-19 from ${store.name}`,
    naming: torchNaming,
    open: openSafetensors(store),
    store,
    convention: settings.convention,
    usualConvention: 'torchvision',
  });
}
