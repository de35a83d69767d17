import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerName } from '../../../features/layer-name';
import { type GramNormalization, gramScale } from '../../../losses/gram-matrix';
import { bandExtents, bandsOf, rowsOfBands, strideOf } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import type { Network } from '../network/network';
import { type FeatureMap, Pass, rowsOf } from '../network/pass';
import { layerShape, planPass } from '../network/pass-plan';
import { requireRoomAt } from '../require-room';
import type { Steps } from '../steps';
import { gramShares } from './gram-term';
import { type LayerWeights, MaskWeights, maskBytes, weightsOf } from './mask-weights';

/** Pixels for each item of work, whose products are summed in float32: over more, sums would round visibly. */
const pixelsOfItem = 2048;

/** Options of the passes that {@link gramMatrices} makes. */
const gramPass = (layers: readonly LayerName[]) =>
  ({ layers, backward: 'never', firstFromImage: true }) as const;

/**
 * Bytes that the Gram matrices of an image take while they are computed by bands that own so many rows.
 * @param masked whether they are those of a region
 */
export function gramMatricesBytes(
  network: Network,
  size: Size,
  layers: readonly LayerName[],
  rows: number,
  masked = false,
): number {
  const channels = layers.map((layer) => layerShape(network, size, layer)[3]);
  const { highest } = bandExtents(network.steps, layers, size[0], rows);
  const { bytes } = planPass(network, highest, size[1], gramPass(layers));
  const masks = masked ? maskBytes(network, size, layers) : 0;
  return bytes + masks + 4 * gramShares * Math.max(0, ...channels) ** 2;
}

/**
 * Rows of the bands that Gram matrices of an image are computed by, and their bytes: those of the whole image, or of
 * the fewest bands that fit into some memory.
 *
 * @param room bytes that may be allocated
 * @throws EnvironmentError `OUT_OF_MEMORY` if not even the lowest fit
 */
export function gramRows(
  network: Network,
  size: Size,
  layers: readonly LayerName[],
  room: number,
  masked = false,
): { readonly rows: number; readonly bytes: number } {
  const bytesAt = (at: Size) =>
    gramMatricesBytes(network, at, layers, strideOf(network.steps, layers), masked);
  requireRoomAt(room, 'A style image', size, bytesAt);
  for (const rows of rowsOfBands(network.steps, layers, size[0])) {
    const bytes = gramMatricesBytes(network, size, layers, rows, masked);
    if (bytes <= room) return { rows, bytes };
  }
  return { rows: strideOf(network.steps, layers), bytes: bytesAt(size) };
}

/** How {@link gramMatrices} computes. */
export interface GramMatricesRequest {
  readonly normalization: GramNormalization;
  /** Rows of the bands that the image is computed by, see {@link gramRows}. */
  readonly rows: number;
  /** Weights of pixels, [height, width, 1]. */
  readonly mask?: Tensor3D | undefined;
}

/**
 * Gram matrices of an image's features, without the features leaving the engine. Products are summed in float32 over
 * 2048 pixels at most and these sums in double precision: at 2048 x 2048 pixels one long float32 sum is wrong in the
 * third digit.
 *
 * @param image [height][width][3] in [0,1]
 * @returns steps whose result is [channels][channels] by layer, normalised as `gramMatrix` does
 */
export function* gramMatrices(
  network: Network,
  image: Float32Array,
  [height, width]: Size,
  layers: readonly LayerName[],
  { normalization, rows, mask }: GramMatricesRequest,
): Steps<ReadonlyMap<LayerName, Float32Array>> {
  const totals = new Map<LayerName, Float64Array>();
  const masks = new MaskWeights(network.engine.memory);
  const weightsAt = (layer: LayerName): LayerWeights => {
    const [, h, w] = layerShape(network, [height, width], layer);
    return masks.of(mask && { weights: mask, mean: 'weights' }, h, w);
  };
  try {
    for (const band of bandsOf(network.steps, layers, height, rows)) {
      const { from, to } = band.rows;
      const pass = new Pass(network, to - from, width, gramPass(layers));
      try {
        yield* pass.forwardSteps(image.subarray(from * width * 3, to * width * 3), (layer, map) => {
          const total = totals.get(layer) ?? new Float64Array(map.channels ** 2);
          totals.set(layer, total);
          const owned = rowsOf(map, band.owned(layer), band.first(layer));
          if (owned.height > 0) addProducts(network, owned, weightsOf(weightsAt(layer), owned), total);
        });
      } finally {
        pass.dispose();
      }
    }
    return new Map(
      layers.flatMap((layer) => {
        const total = totals.get(layer);
        if (!total) return [];
        const shape = layerShape(network, [height, width], layer);
        const scale = gramScale([...shape], normalization) * weightsAt(layer).ratio;
        return [[layer, symmetric(total, shape[3], scale)] as const];
      }),
    );
  } finally {
    masks.dispose();
  }
}

/**
 * Adds sums over pixels of products of channels to `totals`, [n][n], blocks on and above the diagonal.
 * @param weights address of the pixels' weights; 0 for none
 */
function addProducts(
  { engine, firstForward }: Network,
  map: FeatureMap,
  weights: number,
  totals: Float64Array,
): void {
  const { address, height, width, channels: n, relu, fromImage } = map;
  const { memory } = engine;
  const sums = memory.allocateFloats(gramShares * n * n);
  // The first convolution is summed by rows of the image, other maps by pixels.
  const length = fromImage ? height : height * width;
  const share = fromImage ? Math.max(1, Math.floor(pixelsOfItem / width)) : pixelsOfItem;
  const bytes = fromImage ? 12 * (width + 2) : 4 * n;
  try {
    for (let from = 0; from < length; from += gramShares * share) {
      const count = Math.min(gramShares * share, length - from);
      const items = Math.ceil(count / share);
      const at = address + from * bytes;
      const mask = weights && weights + 4 * from * (fromImage ? width : 1);
      if (fromImage)
        engine.run(
          'firstGramForward',
          [at, firstForward, count, width, n, Number(relu), share, sums, mask],
          items,
        );
      else engine.run('gramForward', [at, count, n, Number(relu), share, sums, 0, 0, mask], items);
      const parts = memory.floats(sums, items * n * n);
      for (let start = 0; start < parts.length; start += totals.length)
        for (let i = 0; i < totals.length; i++) totals[i] += parts[start + i];
    }
  } finally {
    memory.release(sums);
  }
}

/** `scale` times the symmetric matrix of which the upper triangle is given. */
function symmetric(upper: Float64Array, n: number, scale: number): Float32Array {
  const matrix = new Float32Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) matrix[i * n + j] = matrix[j * n + i] = scale * upper[i * n + j];
  return matrix;
}
