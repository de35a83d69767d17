export type { Image } from './image';
export { maxInputPixels, type PixelArray } from './pixel-array';
export { type ImageInput, type ToImageOptions, toImage, toImageData } from './to-image';
