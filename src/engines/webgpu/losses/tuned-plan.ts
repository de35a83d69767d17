import { EnvironmentError } from '../../../errors';
import { inTurn } from '../../../storage/in-turn';
import type { Size } from '../../shared/fitting-size';
import type { Convolutions, Way } from '../network/convolutions';
import { fastest, layerKey, type TunedLayer, type TuningOptions, timingsOf } from '../network/tuning';
import type { ShapeOf } from './commands';
import type { PlannedBands } from './evaluation-plan';
import { type TiledNetwork, type TilingRequest, tilingOf } from './tiling';

/** What {@link tunedConvolutions} tunes for. */
interface TunedEvaluation {
  readonly size: Size;
  readonly bands: PlannedBands;
  /** Shapes of layers in each band. */
  readonly shapes: readonly ShapeOf[];
  readonly request: TilingRequest;
  readonly tuning: TuningOptions;
}

/**
 * The fastest ways of an evaluation's convolutions, forwards and backwards, as measured in the highest band. Ways by
 * planes, which take memory, are left out where with them the image would not fit as it was planned.
 */
export async function tunedConvolutions(
  network: TiledNetwork,
  { size, bands, shapes, request, tuning }: TunedEvaluation,
): Promise<Convolutions> {
  const stages = network.stages.stages.slice(1, request.parts.stageCount);
  const layersIn = (shapeOf: ShapeOf): readonly TunedLayer[] =>
    stages.flatMap(({ name, channelsIn, channelsOut }) => {
      const [height, width] = shapeOf(name);
      const both = [
        [channelsIn, channelsOut],
        [channelsOut, channelsIn],
      ];
      return both.map(([from, to]) => ({ channelsIn: from, channels: to, size: [height, width] as const }));
    });
  const rows = shapes.map((shapeOf) => shapeOf('image')[0]);
  const highest = layersIn(shapes[rows.indexOf(Math.max(...rows))]);
  // Two runs at once would time each other.
  const timings = await inTurn('tuning of the engine webgpu', undefined, () => timingsOf(highest, tuning));
  const by = (isAllowed: (way: Way) => boolean): Convolutions => {
    const ways = fastest(timings, isAllowed);
    const measured = new Map<string, Way>();
    for (const shapeOf of shapes)
      for (const [i, layer] of layersIn(shapeOf).entries()) {
        const way = ways.get(layerKey(highest[i]));
        if (way) measured.set(layerKey(layer), way);
      }
    return { ...network.convolutions, measured };
  };
  const all = by(() => true);
  return fits(network, all) ? all : by(({ form }) => form !== 'windows4');

  function fits(planned: TiledNetwork, convolutions: Convolutions): boolean {
    try {
      // Measured memory is known by the parts.
      const anew = { ...request, parts: { ...request.parts } };
      return tilingOf({ ...planned, convolutions }, size, anew).bands.length === bands.length;
    } catch (error) {
      if (error instanceof EnvironmentError) return false;
      throw error;
    }
  }
}
