import type { ImageInput } from '../image/to-image';
import { type ChooseSize, readPixels } from './read-pixels';
import { type ImageSource, isImageSource } from './source-bytes';

/** All that can be handed in as an image in Node: every `ImageInput`, and the path, URL or bytes of an image file. */
export type NodeImageInput = ImageInput | ImageSource;

/** Files, URLs and bytes decoded to pixels; everything else as it is. Nothing that would have to be disposed is made. */
export async function decodeInput(
  option: string,
  input: NodeImageInput,
  chooseSize?: ChooseSize,
  signal?: AbortSignal,
): Promise<ImageInput> {
  return isImageSource(input) ? readPixels(option, input, chooseSize, signal) : input;
}
