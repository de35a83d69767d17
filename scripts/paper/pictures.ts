import sharp from 'sharp';

/** A picture as JPEG in a data URL, at most `size` pixels on its longer side. */
export async function dataUrl(path: string, size?: number): Promise<string> {
  const picture = sharp(path).rotate().flatten({ background: 'white' });
  if (size) picture.resize(size, size, { fit: 'inside' });
  const bytes = await picture.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}
