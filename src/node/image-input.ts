import type { ImageReader, ImageUse, OpenImage } from '../image/image-reader';
import { maskPixels, rgbPixels } from '../image/pixel-array';
import type { SizeRule } from '../image/size-rule';
import { type ImageInput, imageOf, imageReader, isImageInput, notAnImage } from '../image/to-image';
import { openFile } from './read-pixels';
import { type ImageSource, isImageSource } from './source-bytes';

/** An image input in Node: any `ImageInput`, or the path, URL or bytes of an image file. */
export type NodeImageInput = ImageInput | ImageSource;

/** The image reader for files, URLs and bytes, and for every input that other platforms accept. */
export const nodeImageReader: ImageReader<NodeImageInput> = {
  open: openInput,
  async decode(option, input, size, signal) {
    return (await openInput(option, input, signal)).decode(size);
  },
};

/**
 * Decodes files, URLs and bytes to pixels and returns any other input unchanged. The result needs no disposal.
 */
export async function decodeInput(
  option: string,
  input: NodeImageInput,
  size?: SizeRule,
  signal?: AbortSignal,
): Promise<ImageInput> {
  return isImageSource(input) ? (await openFile(option, input, signal)).readPixels(size) : input;
}

async function openInput(
  option: string,
  input: NodeImageInput,
  signal?: AbortSignal,
  use?: ImageUse,
): Promise<OpenImage> {
  if (isImageSource(input)) return openSource(option, input, signal, use);
  if (!isImageInput(input))
    throw notAnImage(option, input, { more: 'a path, a URL or the bytes of an image file, ' });
  return imageReader.open(option, input, signal, use);
}

async function openSource(
  option: string,
  source: ImageSource,
  signal?: AbortSignal,
  use?: ImageUse,
): Promise<OpenImage> {
  const convert = use === 'mask' ? maskPixels : rgbPixels;
  const { width, height, bytes, readPixels } = await openFile(option, source, signal);
  return {
    width,
    height,
    async bytes() {
      return { of: 'file', bytes };
    },
    async decode(size) {
      return imageOf(convert(option, await readPixels(size)));
    },
  };
}
