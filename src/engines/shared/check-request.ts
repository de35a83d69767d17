import { ImageError } from '../../errors';
import type { LayerName } from '../../features/layer-name';
import { isPool, type NetworkStep } from '../../features/network';
import type { Image } from '../../image/image';
import { requireImage } from '../../image/require-image';
import { requireName } from '../../options/validate';

/**
 * Throws unless the layers are known and the image is large enough for them; returns the number of steps to compute.
 */
export function checkRequest(
  image: Image,
  wanted: readonly LayerName[],
  layers: readonly LayerName[],
  steps: readonly NetworkStep[],
): number {
  requireImage('image', image);
  for (const layer of wanted) requireName('layer', layer, layers);
  const last = Math.max(0, ...wanted.map((layer) => layers.indexOf(layer)));
  const smallest = 2 ** steps.slice(0, last).filter(isPool).length;
  const [height, width] = image.shape;
  if (height < smallest || width < smallest) {
    const accepted = `at least ${smallest}x${smallest} pixels for ${layers[last]}`;
    throw new ImageError('TOO_SMALL', `The image has ${width}x${height} pixels; accepted: ${accepted}.`, {
      option: 'image',
      value: image.shape,
      accepted,
    });
  }
  return last;
}
