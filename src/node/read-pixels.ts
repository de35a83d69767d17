import type { Metadata, Sharp } from 'sharp';
import { maxInputPixels, type PixelArray, requirePixelCount } from '../image/pixel-array';
import { fitLongerSide } from '../image/resize';
import { loadSharp } from './load-sharp';
import { type ImageSource, sourceBytes, sourceError } from './source-bytes';

/** Chooses the size of an image from its own, which already counts its EXIF orientation. */
export type ChooseSize = (size: Size) => Size & { readonly crop?: boolean };

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes an image: any format that sharp reads, turned as its EXIF orientation says, colours converted to sRGB (greyscale, CMYK and
 * embedded profiles included), 16 bits kept, alpha kept. Of several pages or frames the first.
 *
 * @param option the name of the argument, for errors
 * @param chooseSize resamples by Lanczos while decoding, which for large JPEGs saves most of the work. @default the image's own size
 * @throws ImageError before decoding if the file is missing, empty, no image or too large; if it is damaged, when decoding
 */
export async function readPixels(
  option: string,
  source: ImageSource,
  chooseSize?: ChooseSize,
  signal?: AbortSignal,
): Promise<PixelArray> {
  const sharp = await loadSharp();
  const bytes = await sourceBytes(option, source, signal);
  // The header is read without sharp's own limit, so that the error can tell the size.
  const { space, depth, autoOrient } = await metadataOf(
    option,
    source,
    sharp(bytes, { limitInputPixels: false }),
  );
  const { width, height } = autoOrient;
  if (width < 1 || height < 1) throw sourceError('EMPTY', option, source, `has ${width}x${height} pixels`);
  requirePixelCount(option, width, height);

  const sixteenBits = depth === 'ushort' && space !== 'cmyk';
  let image = sharp(bytes, { limitInputPixels: maxInputPixels, failOn: 'error' })
    .autoOrient()
    .toColourspace(sixteenBits ? 'rgb16' : 'srgb');
  const to = chooseSize?.({ width, height });
  if (to) requirePixelCount(option, to.width, to.height);
  if (to && (to.width !== width || to.height !== height)) {
    image = image.resize(to.width, to.height, { fit: to.crop ? 'cover' : 'fill', kernel: 'lanczos3' });
  }
  try {
    const { data, info } = await image
      .raw({ depth: sixteenBits ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return {
      data: sixteenBits
        ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
        : new Uint8Array(data),
      width: info.width,
      height: info.height,
      channels: info.channels,
    };
  } catch (cause) {
    throw damaged(option, source, cause);
  }
}

/** At most this long a side: smaller images stay as they are. */
export function atMost(size: number): ChooseSize {
  return ({ width, height }) =>
    Math.max(width, height) <= size ? { width, height } : fitLongerSide(width, height, size);
}

async function metadataOf(option: string, source: ImageSource, image: Sharp): Promise<Metadata> {
  try {
    return await image.metadata();
  } catch (cause) {
    const { message } = cause as Error;
    if (!/unsupported image format/i.test(message)) throw damaged(option, source, cause);
    throw sourceError('NOT_AN_IMAGE', option, source, 'is no image that can be read', {
      accepted: 'JPEG, PNG, WebP, AVIF, GIF, TIFF or SVG',
      cause,
    });
  }
}

function damaged(option: string, source: ImageSource, cause: unknown) {
  const reason = (cause as Error).message.trim().split('\n')[0];
  return sourceError('DAMAGED', option, source, `is damaged or cut short (${reason})`, { cause });
}
