import { extname } from 'node:path';
import { InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { toImageData } from '../image/to-image';
import { showValue } from '../options/show';
import { abortSignal, number, type Option, oneOf, optionTable } from '../options/table';
import { requireName } from '../options/validate';
import { pngWithSettings } from '../transfer/png-settings';
import { requireRecord } from '../transfer/replay';
import type { SettingsRecord } from '../transfer/settings-record';
import { runSharp } from './run-sharp';
import { xmpOf } from './settings-in-files';
import { filePath, requireWritableFile, writeBytes } from './write-file';

/** An image file format for writing. */
export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff';

/** Options of {@link encodeImage}. */
export interface EncodeImageOptions {
  /** @default 'png' */
  readonly format?: ImageFormat | undefined;
  /** Quality of JPEG, WebP and AVIF, 1 to 100; PNG and TIFF are lossless. @default 92 */
  readonly quality?: number | undefined;
  /**
   * A record to write into the file, such as `result.settings`: into the text of a PNG (keyword `tfjs-style-transfer`,
   * with `Software`), else into the XMP. `readSettingsRecord` reads it back.
   */
  readonly settings?: SettingsRecord | undefined;
  /** Ends the encoding; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link writeImage}. */
export interface WriteImageOptions extends Omit<EncodeImageOptions, 'format'> {
  /** @default from the path's extension: .png, .jpg, .jpeg, .webp, .avif, .tif or .tiff */
  readonly format?: ImageFormat | undefined;
}

const quality = number({ min: 1, max: 100, integer: true, default: 92 });

const settings: Option<SettingsRecord> = {
  accepts: 'a settings record, as result.settings is',
  require: (_name, value) => void requireRecord(value),
};

/** Every {@link ImageFormat}, with the extensions of its files. */
const extensionsOf: Readonly<Record<ImageFormat, readonly string[]>> = {
  png: ['.png'],
  jpeg: ['.jpg', '.jpeg'],
  webp: ['.webp'],
  avif: ['.avif'],
  tiff: ['.tif', '.tiff'],
};

/** Every {@link ImageFormat}. */
export const imageFormats = Object.keys(extensionsOf) as readonly ImageFormat[];

/** The usual extension of a format: `'.jpg'`. */
export const extensionOf = (format: ImageFormat): string =>
  format === 'jpeg' ? '.jpg' : extensionsOf[format][0];

/** Every extension that names a format. */
export const imageExtensions = Object.values(extensionsOf).flat();

const encodeOptions = optionTable<EncodeImageOptions>()('encodeImage', {
  format: oneOf(imageFormats, { default: 'png' }),
  quality,
  settings,
  signal: abortSignal(),
});

const writeOptions = optionTable<WriteImageOptions>()('writeImage', {
  format: oneOf(imageFormats, {}),
  quality,
  settings,
  signal: abortSignal(),
});

/**
 * Encodes an image as the bytes of a file, 8 bits a channel.
 *
 * @param image [height, width, 3]; values are clamped to [0,1]; not disposed
 * @throws InvalidArgumentError if an option is wrong; EnvironmentError if sharp is not installed
 * @example
 * ```ts
 * response.setHeader('Content-Type', 'image/webp').end(await encodeImage(result.image, { format: 'webp' }));
 * ```
 */
export async function encodeImage(image: Image, options: EncodeImageOptions = {}): Promise<Uint8Array> {
  const { format, quality, settings, signal } = encodeOptions.read(options);
  requireImage('image', image);
  const { data, width, height } = await toImageData(image);
  const run = {
    bytes: new Uint8Array(data.buffer),
    options: { raw: { width, height, channels: 4 } },
    calls: [
      ['removeAlpha'],
      ...(settings && format !== 'png' ? [['withXmp', xmpOf(settings)] as const] : []),
      ['toFormat', format, encoding(format, quality)],
    ],
  } as const;
  const { data: file } = await runSharp(run, width * height, signal);
  return settings && format === 'png' ? pngWithSettings(file, settings) : file;
}

function encoding(format: ImageFormat, quality: number): object {
  if (format === 'png') return {};
  // sharp's default compression of TIFF is JPEG.
  if (format === 'tiff') return { compression: 'deflate', predictor: 'horizontal' };
  if (format === 'webp') return { quality };
  // Full colour resolution in formats that allow it, because strokes are small.
  return { quality, chromaSubsampling: '4:4:4' };
}

/**
 * Writes an image file, 8 bits a channel. The file is replaced atomically: the previous content stays until the new one
 * is complete. Folders are not created.
 *
 * @param image [height, width, 3]; values are clamped to [0,1]; not disposed
 * @param path a path or a `file:` URL
 * @throws InvalidArgumentError if the extension names no format; ImageError if the folder does not exist or cannot be
 *   written to, or the disk is full; EnvironmentError if sharp is not installed
 * @example
 * ```ts
 * await writeImage(result.image, 'out.jpg', { quality: 90 });
 * ```
 */
export async function writeImage(
  image: Image,
  path: string | URL,
  options: WriteImageOptions = {},
): Promise<void> {
  const { format, quality, settings, signal } = writeOptions.read(options);
  requireImage('image', image);
  const file = filePath(path);
  const known = formatOf(file, format);
  await requireWritable(file, { format: known });
  const bytes = await encodeImage(image, { format: known, quality, settings, signal });
  await writeBytes(file, bytes);
}

/**
 * Throws the errors of {@link writeImage} in advance, for programs that compute for long before they write.
 *
 * @throws InvalidArgumentError if the extension names no format; ImageError if the folder does not exist or cannot be
 *   written to
 */
export async function requireWritable(
  path: string | URL,
  { format }: Pick<WriteImageOptions, 'format'> = {},
): Promise<void> {
  const file = filePath(path);
  formatOf(file, format);
  await requireWritableFile(file);
}

/**
 * The format of a file: the given one, else that of its extension.
 *
 * @throws InvalidArgumentError if the extension names no format
 */
export function formatOf(file: string, format: ImageFormat | undefined): ImageFormat {
  if (format !== undefined) {
    requireName('format', format, imageFormats);
    return format;
  }
  const extension = extname(file).toLowerCase();
  const found = imageFormats.find((name) => extensionsOf[name].includes(extension));
  if (found) return found;
  const accepted = imageExtensions;
  throw new InvalidArgumentError(
    'UNKNOWN_FORMAT',
    `${showValue(file)} has no extension that names a format; accepted: ${accepted.join(', ')}.`,
    { option: 'path', value: file, accepted },
  );
}
