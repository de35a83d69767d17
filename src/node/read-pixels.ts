import type { Metadata, Sharp } from 'sharp';
import { maxInputPixels, type PixelArray, requirePixelCount } from '../image/pixel-array';
import { type Size, type SizeRule, sizeAfter } from '../image/size-rule';
import { loadSharp } from './load-sharp';
import { type ImageSource, sourceBytes, sourceError } from './source-bytes';

/** An image file whose header has been read. */
export interface OpenFile extends Size {
  /** @throws ImageError if the file is damaged, or would become larger than `maxInputPixels` */
  readPixels(size?: SizeRule): Promise<PixelArray>;
}

/**
 * Opens an image file: any format that sharp reads, turned as its EXIF orientation says, colours converted to sRGB (greyscale, CMYK and
 * embedded profiles included), 16 bits kept, alpha kept. Of several pages or frames the first.
 *
 * @param option the name of the argument, for errors
 * @throws ImageError if the file is missing, empty, no image or too large
 */
export async function openFile(option: string, source: ImageSource, signal?: AbortSignal): Promise<OpenFile> {
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
  const readPixels = async (size?: SizeRule): Promise<PixelArray> => {
    signal?.throwIfAborted();
    let image = sharp(bytes, { limitInputPixels: maxInputPixels, failOn: 'error' })
      .autoOrient()
      .toColourspace(sixteenBits ? 'rgb16' : 'srgb');
    const to = sizeAfter(size, width, height);
    requirePixelCount(option, to.width, to.height);
    if (to.width !== width || to.height !== height) {
      const fit = size && 'crop' in size && size.crop ? 'cover' : 'fill';
      image = image.resize(to.width, to.height, { fit, kernel: 'lanczos3' });
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
  };
  return { width, height, readPixels };
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
