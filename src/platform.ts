import type { WeightsPlatform } from './features/vgg19/resolve-weights';
import type { ImageReader } from './image/image-reader';
import { type ImageInput, imageReader } from './image/to-image';

/**
 * What differs between a page and Node: how inputs become images, where weights are found, and which backend of tfjs
 * starts by itself. `styleTransfer`, `evaluate` and `loadVgg19` are made from a platform, so that each exists once.
 */
export interface Platform<Input> extends ImageReader<Input> {
  /**
   * Whether a text names an image, as a path does. A text that does not is the name of something else, such as a start
   * of `styleTransfer`. Left out, no text names an image.
   */
  readonly namesImage?: ((text: string) => boolean) | undefined;
  /** How weights are found. Left out, as in a page. */
  readonly weights?: WeightsPlatform | undefined;
  /** Sets a backend of tfjs up where the program has none. Left out, having none is an error. */
  readonly startBackend?: (() => Promise<void>) | undefined;
}

/** What every platform has. */
export const anyPlatform: Platform<ImageInput> = imageReader;
