import { type Image, toImageData as ofTensor, type PixelArray } from '../index';
import { toImageData as ofPixels } from '../worker/to-image-data';

/** Pixels for a canvas, of a tensor or of an image as `styleTransfer` gives it here. */
export const toImageData = async (image: Image | PixelArray): Promise<ImageData> =>
  'dataId' in image ? ofTensor(image) : ofPixels(image);
