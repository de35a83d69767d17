import type { ImageReader } from './image/image-reader';

/**
 * What differs between a page and Node for the calls that take images of every kind: how inputs become images.
 * `styleTransfer`, `evaluate` and `loadVgg19` are made from a platform, so that each exists once.
 */
export interface Platform<Input> extends ImageReader<Input> {}
