import type { EngineExtractor } from '../../engines/engine';
import type { Image } from '../../image/image';
import { owning } from '../../owning';
import type { Preset } from '../../transfer/presets';
import type { Pictures } from './pictures';
import { cropTensor } from './training-loop';
import { withFloor } from './training-loss';

/** Crops by which the contrast of what is trained on is measured. */
const measured = 12;

/**
 * The preset with the floor of the contrast of pictures, see {@link withFloor}.
 *
 * @param size of the crops that are measured, in pixels
 */
export async function withMeasuredFloor(
  preset: Preset,
  {
    extractor,
    pictures,
    size,
  }: { readonly extractor: EngineExtractor; readonly pictures: Pictures; readonly size: number },
): Promise<Preset> {
  return owning(async ({ temporary }) => {
    const crops: Image[] = [];
    // Steps that no training has.
    for (let i = 1; i <= measured; i++)
      crops.push(temporary(await cropTensor(pictures, { seed: 0, step: -i, size })));
    return withFloor(preset, extractor, crops);
  });
}
