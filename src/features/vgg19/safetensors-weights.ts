import { optionTable } from '../../options/table';
import type { ByteStore } from '../../storage/byte-store';
import { downloadOptions, type RemoteOptions } from '../../storage/remote-options';
import { openSafetensors } from '../../weights/safetensors';
import { type FileSourceOptions, fileSourceOptions, storeOf } from './file-source';
import { torchNaming } from './naming';
import type { WeightSource } from './source';
import { tensorSource } from './tensor-source';

/** Options of {@link safetensorsWeights}; the download options are for URLs only. */
export interface SafetensorsOptions extends Omit<RemoteOptions, 'sha256'>, FileSourceOptions {}

const safetensorsOptions = optionTable<SafetensorsOptions>()('safetensorsWeights', {
  ...fileSourceOptions,
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
  const store = storeOf('safetensorsWeights', location, options, settings, 'model.safetensors');
  return tensorSource(store.name, openSafetensors(store), torchNaming, settings, store);
}
