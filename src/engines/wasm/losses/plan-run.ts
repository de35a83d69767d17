import type { MemoryPlan, MemoryRequest } from '../../engine';
import { isFirstConvolution, type Network } from '../network/network';
import { layerShape } from '../network/pass-plan';
import { requireRoomAt, roomIn, type Size } from '../require-room';
import { gramMatricesBytes, type ObjectiveRequest, objectiveBytes } from './room';
import { featureTermBytes } from './terms';

/** The memory of a run, by sizes alone. See {@link EngineExtractor.plan}. */
export function planRun(network: Network, request: MemoryRequest): MemoryPlan {
  const { layers, size, featureTargets = [], style, room = Number.POSITIVE_INFINITY } = request;
  const available = Math.min(room, roomIn(network.engine.memory));
  const grams = style?.layers ?? [];
  const all = [...new Set([...layers, ...featureTargets, ...grams])];
  // The objective stores the first convolution's map unless only its Gram matrix is wanted.
  const firstFromImage = all.every(
    (layer) =>
      network.places.get(layer)?.stage !== 0 ||
      (isFirstConvolution(network, layer) && !featureTargets.includes(layer)),
  );
  const objective: ObjectiveRequest = {
    options: { layers: all, backward: 'once', firstFromImage },
    features: featureTargets,
    grams,
    cotangents: [],
  };
  const bytesAt = (at: Size) => objectiveBytes(network, at, objective);
  requireRoomAt(available, 'An image', size, bytesAt);
  const gramBytesAt = (at: Size) => (style ? gramMatricesBytes(network, at, style.layers) : 0);
  if (style) requireRoomAt(available, 'A style image', style.size, gramBytesAt);
  const targets = featureTargets.reduce((sum, layer) => {
    const floats = layerShape(network, size, layer).reduce((product, extent) => product * extent, 1);
    return sum + featureTermBytes(floats);
  }, 0);
  const maps = bytesAt(size) - targets;
  // Gram matrices of the style image are computed before the objective takes its memory.
  const bytes = Math.max(maps + targets, style ? gramBytesAt(style.size) : 0);
  return { bytes, maps, targets, tiles: 1 };
}
