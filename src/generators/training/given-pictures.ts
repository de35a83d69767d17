import type { ImageReader } from '../../image/image-reader';
import { sha256OfText } from '../../storage/sha256';
import { cachedPictures } from './picture-cache';
import type { Pictures } from './pictures';
import { inBytes } from './procedural-pictures';

/** Shorter side that larger pictures are reduced to: crops of 256 pixels need no more. */
const shorterSide = 640;

/**
 * The caller's pictures, decoded when they are first needed: there may be thousands.
 *
 * @param images at least one
 */
export async function givenPictures<Input>(
  reader: ImageReader<Input>,
  images: readonly Input[],
  signal: AbortSignal,
): Promise<Pictures> {
  const names = images.map((image) =>
    typeof image === 'string' || image instanceof URL ? String(image) : '',
  );
  return cachedPictures({
    count: images.length,
    identity: `${images.length} images ${await sha256OfText(names.join('\n'))}`,
    at: async (index) => {
      const opened = await reader.open(`images[${index}]`, images[index], signal);
      const larger = Math.min(opened.width, opened.height) > shorterSide;
      const image = await opened.decode(larger ? { shorterSide } : undefined);
      try {
        const [height, width] = image.shape;
        return inBytes({ data: await image.data<'float32'>(), width, height });
      } finally {
        image.dispose();
      }
    },
  });
}
