import sharp from 'sharp';
import { type PixelArray, toImageData } from '../../src/image';
import type { Image } from '../../src/image/image';

export async function readPicture(path: string): Promise<PixelArray> {
  const { data, info } = await sharp(path)
    .rotate()
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: info.channels as 3 };
}

export async function writePicture(image: Image, path: string): Promise<void> {
  const { data, width, height } = await toImageData(image);
  await sharp(data, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .png()
    .toFile(path);
}

/** A picture as JPEG in a data URL, at most `size` pixels on its longer side. */
export async function dataUrl(path: string, size?: number): Promise<string> {
  const picture = sharp(path).rotate().flatten({ background: 'white' });
  if (size) picture.resize(size, size, { fit: 'inside' });
  const bytes = await picture.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}
