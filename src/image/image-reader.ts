import type { Image } from './image';
import type { Size, SizeRule } from './size-rule';

/** An input whose size is known and whose pixels can be had. Nothing of it has to be disposed. */
export interface OpenImage extends Size {
  /**
   * The image, brought to a size.
   *
   * @returns [height, width, 3], RGB, float32, in [0,1]; it belongs to the caller
   * @throws ImageError if the input is damaged, holds values that are not in [0,1], or would become larger than
   *   `maxInputPixels`
   */
  decode(size?: SizeRule): Promise<Image>;
}

/** What turns inputs into images. `option` is the name of the argument that an input was given as, for messages. */
export interface ImageReader<Input> {
  /**
   * Looks at an input: what can be known before memory is taken for its pixels at the size that they are brought to. An
   * input that can be read only once, such as a stream, is read here.
   *
   * @throws ImageError if the input is no image, empty, unreadable or larger than `maxInputPixels`
   */
  open(option: string, input: Input, signal?: AbortSignal): Promise<OpenImage>;
  /** Opens and decodes in one step. */
  decode(option: string, input: Input, size?: SizeRule, signal?: AbortSignal): Promise<Image>;
}
