import { ImageError, WeightsError } from '../errors';
import { type FileSource, fileLoader, type LoadFileOptions } from '../storage/file-source';
import { decodeStyle } from './decode-style';
import type { StyleFile } from './style-file';

/** A style file: the URL of one, or its bytes. In Node also a path. */
export type StyleSource = FileSource;

/** Options of {@link loadStyle}; those of downloads are for URLs only. */
export type LoadStyleOptions = LoadFileOptions;

/** Reads style files, of at most 64 MiB: all of VGG-19's layers take 25 MB. */
export const styleLoader = /* @__PURE__ */ fileLoader({
  caller: 'loadStyle',
  option: 'style',
  what: 'a style file',
  maxBytes: 2 ** 26,
});

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
  const { bytes, name } = await load(source, options);
  return decodeStyle('style', name, bytes);
}

/** A style stands where an image may, and its errors are those of images. */
async function load(...[source, options]: Parameters<typeof styleLoader.load>) {
  try {
    return await styleLoader.load(source, options);
  } catch (cause) {
    if (!(cause instanceof WeightsError)) throw cause;
    const { code, message, option, value, accepted } = cause;
    throw new ImageError(code === 'DOWNLOAD_FAILED' ? 'READ_FAILED' : code, message, {
      option,
      value,
      accepted,
      cause: cause.cause ?? cause,
    });
  }
}
