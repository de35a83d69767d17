import { ImageError } from '../../errors';
import type { ImageReader } from '../../image/image-reader';
import { sha256OfText } from '../../storage/sha256';
import { cachedPictures } from './picture-cache';
import type { BytePicture, Pictures } from './pictures';
import { inBytes } from './procedural-pictures';

/** Shorter side that larger pictures are reduced to: crops of 256 pixels need no more. */
const shorterSide = 640;

/**
 * The caller's pictures, decoded when they are first needed: there may be thousands. In place of one that cannot be
 * read stands the next one that can, so that a training never ends for it.
 *
 * @param images at least one
 * @param onUnreadable told once of each picture that cannot be read
 */
export async function givenPictures<Input>(
  reader: ImageReader<Input>,
  images: readonly Input[],
  {
    signal,
    onUnreadable,
  }: { readonly signal: AbortSignal; readonly onUnreadable: (why: ImageError) => void },
): Promise<Pictures> {
  const names = images.map((image) =>
    typeof image === 'string' || image instanceof URL ? String(image) : '',
  );
  const unreadable = new Set<number>();
  const decoded = async (index: number): Promise<BytePicture> => {
    const opened = await reader.open(`images[${index}]`, images[index], signal);
    const larger = Math.min(opened.width, opened.height) > shorterSide;
    const image = await opened.decode(larger ? { shorterSide } : undefined);
    try {
      const [height, width] = image.shape;
      return inBytes({ data: await image.data<'float32'>(), width, height });
    } finally {
      image.dispose();
    }
  };
  return cachedPictures({
    count: images.length,
    identity: `${images.length} images ${await sha256OfText(names.join('\n'))}`,
    async at(first) {
      for (let index = first; ; index = (index + 1) % images.length) {
        if (unreadable.has(index)) continue;
        try {
          return await decoded(index);
        } catch (error) {
          if (!(error instanceof ImageError) || unreadable.size === images.length - 1) throw error;
          unreadable.add(index);
          onUnreadable(error);
        }
      }
    },
  });
}
