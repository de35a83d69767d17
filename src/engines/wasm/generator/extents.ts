import type { Size } from '../../shared/fitting-size';
import type { FeatureMap } from './graph';

/** Height and width of a map, of an image of a size. */
export const extentAt = ([height, width]: Size, { reduction }: Pick<FeatureMap, 'reduction'>): Size => [
  height / reduction,
  width / reduction,
];

/** Floats of a map; kernels read some more behind the last. */
export function mapFloats(size: Size, map: FeatureMap): number {
  const [height, width] = extentAt(size, map);
  return height * width * map.stored + 16;
}
