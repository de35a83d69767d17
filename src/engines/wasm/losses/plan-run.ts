import type { MemoryPlan, MemoryRequest } from '../../engine';
import { bandExtents } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import { notTileable } from '../../shared/tileable';
import { isFirstConvolution, type Network } from '../network/network';
import { requireRoomAt, roomIn } from '../require-room';
import { gramRows } from './gram-matrices';
import {
  allBytes,
  chooseTiling,
  lowestBands,
  type ObjectiveRequest,
  type Tiling,
  tilingBytes,
  wholeImage,
  workOf,
} from './tiling';

/** The memory of a run, by sizes alone. See {@link EngineExtractor.plan}. */
export function planRun(network: Network, request: MemoryRequest): MemoryPlan {
  const { layers, size, featureTargets = [], style, tileable = true, masks } = request;
  const room = roomIn(network.engine.memory, request.room);
  const grams = style?.layers ?? [];
  const all = [...new Set([...layers, ...featureTargets, ...grams])];
  const objective: ObjectiveRequest = {
    layers: all,
    // The objective stores the first convolution's map unless only its Gram matrix is wanted.
    firstFromImage:
      tileable &&
      all.every(
        (layer) =>
          network.places.get(layer)?.stage !== 0 ||
          (isFirstConvolution(network, layer) && !featureTargets.includes(layer)),
      ),
    // Targets of one layer are those of one image.
    features: [...new Set(featureTargets)].map((layer) => ({ layer, fromImage: true })),
    // A style loss that tiles cannot compute reads whole maps. A region has Gram matrices of its own.
    ...(tileable
      ? { grams: Array.from({ length: Math.max(1, masks?.styles ?? 0) }, () => grams).flat() }
      : { grams: [], statistics: grams }),
    cotangents: [],
    masks: [
      ...Array.from({ length: masks?.styles ?? 0 }, () => grams),
      ...(masks?.content ? [featureTargets] : []),
    ],
  };
  const tiling = tilingWithin(network, size, objective, room, tileable ? undefined : notTileable);
  const { maps, targets } = tilingBytes(network, size, objective, tiling);
  // Gram matrices of the style image are computed before the objective takes its memory.
  const styleBytes = style ? gramRows(network, style.size, style.layers, room, masks !== undefined).bytes : 0;
  return {
    bytes: Math.max(maps + targets, styleBytes),
    maps,
    targets,
    tiles: bandExtents(network.steps, all, size[0], tiling.rows).count,
    work:
      workOf(network, size, objective, tiling) /
      workOf(network, size, objective, wholeImage(network, size, objective)),
  };
}

/**
 * {@link chooseTiling}, or the error that says why there is none.
 *
 * @param refusal the error where tiles cannot compute the loss; without it they can
 * @throws EnvironmentError `OUT_OF_MEMORY` with an estimate and the size that fits
 */
export function tilingWithin(
  network: Network,
  size: Size,
  request: ObjectiveRequest,
  room: number,
  refusal?: (size: Size, fits: (size: Size) => boolean) => Error,
): Tiling {
  const bytesBy = (tilingAt: typeof wholeImage) => (at: Size) =>
    allBytes(tilingBytes(network, at, request, tilingAt(network, at, request)));
  const tiling = chooseTiling(network, size, request, room);
  if (refusal && (!tiling || tiling.rows < size[0]))
    throw refusal(size, (at) => bytesBy(wholeImage)(at) <= room);
  if (!tiling) requireRoomAt(room, 'An image', size, bytesBy(lowestBands));
  return tiling ?? lowestBands(network, size, request);
}
