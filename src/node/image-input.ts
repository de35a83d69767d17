import type { ImageReader, OpenImage } from '../image/image-reader';
import { rgbPixels } from '../image/pixel-array';
import type { SizeRule } from '../image/size-rule';
import { type ImageInput, imageOf, imageReader } from '../image/to-image';
import { openFile } from './read-pixels';
import { type ImageSource, isImageSource } from './source-bytes';

/** All that can be handed in as an image in Node: every `ImageInput`, and the path, URL or bytes of an image file. */
export type NodeImageInput = ImageInput | ImageSource;

/** Files, URLs and bytes, and every input that other platforms take. */
export const nodeImageReader: ImageReader<NodeImageInput> = {
  open: openInput,
  async decode(option, input, size, signal) {
    return (await openInput(option, input, signal)).decode(size);
  },
};

/**
 * Files, URLs and bytes decoded to pixels; everything else as it is. Nothing that would have to be disposed is made.
 */
export async function decodeInput(
  option: string,
  input: NodeImageInput,
  size?: SizeRule,
  signal?: AbortSignal,
): Promise<ImageInput> {
  return isImageSource(input) ? (await openFile(option, input, signal)).readPixels(size) : input;
}

async function openInput(option: string, input: NodeImageInput, signal?: AbortSignal): Promise<OpenImage> {
  return isImageSource(input) ? openSource(option, input, signal) : imageReader.open(option, input, signal);
}

async function openSource(option: string, source: ImageSource, signal?: AbortSignal): Promise<OpenImage> {
  const { width, height, readPixels } = await openFile(option, source, signal);
  return {
    width,
    height,
    async decode(size) {
      return imageOf(rgbPixels(option, await readPixels(size)));
    },
  };
}
