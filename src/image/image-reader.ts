import type { Image } from './image';
import type { Size, SizeRule } from './size-rule';

/** The bytes that identify an input: those of its file, or of its pixels if there is no file. */
export interface ImageBytes {
  /** `'pixels'`: RGB, row-major, float32 in [0,1], little-endian. */
  readonly of: 'file' | 'pixels';
  readonly bytes: Uint8Array;
}

/** An input of known size, ready to be decoded. It needs no disposal. */
export interface OpenImage extends Size {
  /** The bytes that identify the input. They belong to the input and must not be changed. */
  bytes(): Promise<ImageBytes>;
  /**
   * Decodes the image and resizes it by the rule.
   *
   * @returns [height, width, 3], RGB, float32, in [0,1]; it belongs to the caller
   * @throws ImageError if the input is damaged, holds values that are not in [0,1], or would become larger than
   *   `maxInputPixels`
   */
  decode(size?: SizeRule): Promise<Image>;
}

/**
 * What an input is read as: its colours, or the weights of a mask, in three equal channels: alpha where any pixel is
 * transparent, else luminance.
 */
export type ImageUse = 'colors' | 'mask';

/** Turns inputs into images. `option` is the name of the argument with which an input was passed, for messages. */
export interface ImageReader<Input> {
  /**
   * Checks an input and finds its size, before memory is allocated for its resized pixels. An
   * input that can be read only once, such as a stream, is read here.
   *
   * @param use what it is read as. @default 'colors'
   *
   * @throws ImageError if the input is not an image, or empty, unreadable or larger than `maxInputPixels`
   */
  open(option: string, input: Input, signal?: AbortSignal, use?: ImageUse): Promise<OpenImage>;
  /** Opens and decodes in one step. */
  decode(option: string, input: Input, size?: SizeRule, signal?: AbortSignal): Promise<Image>;
}
