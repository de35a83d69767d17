import { stat } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageError, InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { toImageData } from '../image/to-image';
import { showValue } from '../options/show';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import { loadSharp } from './load-sharp';
import { probeFile, replaceFile } from './replace-file';

/** A format that images can be written in. */
export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'avif';

/** Options of {@link writeImage}. */
export interface WriteImageOptions {
  /** @default from the path's extension: .png, .jpg, .jpeg, .webp or .avif */
  readonly format?: ImageFormat | undefined;
  /** 1 to 100; PNG, which loses nothing, has none. @default 92 */
  readonly quality?: number | undefined;
}

/**
 * Writes an image file, 8 bits a channel. The file appears whole or not at all: what was there before stays until the new one is
 * complete. Folders are not created.
 *
 * @param image [height, width, 3]; values are clamped to [0,1]; not disposed
 * @param path a path or a `file:` URL
 * @throws InvalidArgumentError if the extension names no format; ImageError if the folder does not exist or cannot be written to, or
 *   the disk is full; EnvironmentError if sharp is not installed
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
  requireKnownOptions('writeImage', options, ['format', 'quality']);
  requireImage('image', image);
  const file = filePath(path);
  const format = formatOf(file, options.format);
  const { quality = 92 } = options;
  requireNumber('quality', quality, { min: 1, max: 100, integer: true });
  const sharp = await loadSharp();
  await requireWritable(file, options);
  const { data, width, height } = await toImageData(image);
  const bytes = await sharp(data, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    // Full resolution of colours where there is a choice: strokes are small.
    .toFormat(
      format,
      format === 'png' ? {} : { quality, ...(format !== 'webp' && { chromaSubsampling: '4:4:4' }) },
    )
    .toBuffer();
  await explaining(file, () => replaceFile(file, bytes));
}

/**
 * Throws what {@link writeImage} would, before there is an image: for programs that work long.
 *
 * @throws InvalidArgumentError if the extension names no format; ImageError if the folder does not exist or cannot be written to
 */
export async function requireWritable(
  path: string | URL,
  { format }: Pick<WriteImageOptions, 'format'> = {},
): Promise<void> {
  const file = filePath(path);
  formatOf(file, format);
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory()) throw notWritable(file, 'it is a folder; name a file in it');
  await explaining(file, () => probeFile(file));
}

const extensions: Readonly<Record<string, ImageFormat>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
  '.avif': 'avif',
};

/** Every extension that names a format. */
export const imageExtensions = Object.keys(extensions);

/** Every {@link ImageFormat}. */
export const imageFormats: readonly ImageFormat[] = [...new Set(Object.values(extensions))];

function formatOf(file: string, format: ImageFormat | undefined): ImageFormat {
  if (format !== undefined) {
    requireName('format', format, imageFormats);
    return format;
  }
  const found = extensions[extname(file).toLowerCase()];
  if (found) return found;
  const accepted = imageExtensions;
  throw new InvalidArgumentError(
    'UNKNOWN_FORMAT',
    `${showValue(file)} has no extension that names a format; accepted: ${accepted.join(', ')}.`,
    { option: 'path', value: file, accepted },
  );
}

function filePath(path: string | URL): string {
  if (path instanceof URL || (typeof path === 'string' && path.startsWith('file:'))) {
    const url = new URL(path);
    if (url.protocol === 'file:') return fileURLToPath(url);
  } else if (typeof path === 'string' && path !== '') return path;
  const accepted = 'a path or a file: URL';
  throw new InvalidArgumentError('WRONG_TYPE', `path is ${showValue(path)}; accepted: ${accepted}.`, {
    option: 'path',
    value: path,
    accepted,
  });
}

async function explaining(file: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const folder = dirname(file);
    const reasons: Record<string, string> = {
      ENOENT: `there is no folder ${showValue(folder)}; create it first`,
      ENOTDIR: `${showValue(folder)} is no folder`,
      EACCES: 'permission is denied; choose another folder or change its permissions',
      EPERM: 'permission is denied; choose another folder or change its permissions',
      EROFS: 'the disk is read-only; choose another folder',
      ENOSPC: 'the disk is full; free some space or choose another disk. What was there before is untouched',
      EDQUOT:
        'your quota is used up; free some space or choose another disk. What was there before is untouched',
    };
    throw notWritable(file, reasons[code ?? ''] ?? message, cause);
  }
}

function notWritable(file: string, reason: string, cause?: unknown): ImageError {
  return new ImageError('NOT_WRITABLE', `${showValue(file)} cannot be written: ${reason}.`, {
    option: 'path',
    value: file,
    accepted: 'a file in a folder that can be written to',
    cause,
  });
}
