import type { LayerName } from '../../../features/layer-name';
import { type GramNormalization, gramScale } from '../../../losses/gram-matrix';
import type { Network } from '../network/network';
import { type FeatureMap, Pass } from '../network/pass';
import type { Steps } from '../steps';
import { gramShares } from './gram-term';

/** Pixels for each item of work, whose products are summed in float32: over more, sums would round visibly. */
const pixelsOfItem = 2048;

/** Bytes that {@link gramMatrices} needs beside the pass, for a layer of `channels`. */
export const gramMatrixBytes = (channels: number): number => 4 * gramShares * channels ** 2;

/** Options of the pass that {@link gramMatrices} makes. */
export const gramPass = (layers: readonly LayerName[]) =>
  ({ layers, backward: 'never', firstFromImage: true }) as const;

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
  [height, width]: readonly [height: number, width: number],
  layers: readonly LayerName[],
  normalization: GramNormalization,
): Steps<ReadonlyMap<LayerName, Float32Array>> {
  const found = new Map<LayerName, Float32Array>();
  const pass = new Pass(network, height, width, gramPass(layers));
  try {
    yield* pass.forwardSteps(image, (layer, map) => {
      const scale = gramScale([1, map.height, map.width, map.channels], normalization);
      found.set(layer, symmetric(sumsOfProducts(network, map), map.channels, scale));
    });
  } finally {
    pass.dispose();
  }
  return found;
}

/** Sums over pixels of products of channels, [n][n], blocks on and above the diagonal. */
function sumsOfProducts({ engine, firstForward }: Network, map: FeatureMap): Float64Array {
  const { address, height, width, channels: n, relu, fromImage } = map;
  const { memory } = engine;
  const totals = new Float64Array(n * n);
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
      if (fromImage)
        engine.run('firstGramForward', [at, firstForward, count, width, n, Number(relu), share, sums], items);
      else engine.run('gramForward', [at, count, n, Number(relu), share, sums, 0, 0], items);
      const parts = memory.floats(sums, items * n * n);
      for (let start = 0; start < parts.length; start += totals.length)
        for (let i = 0; i < totals.length; i++) totals[i] += parts[start + i];
    }
  } finally {
    memory.release(sums);
  }
  return totals;
}

/** `scale` times the symmetric matrix of which the upper triangle is given. */
function symmetric(upper: Float64Array, n: number, scale: number): Float32Array {
  const matrix = new Float32Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) matrix[i * n + j] = matrix[j * n + i] = scale * upper[i * n + j];
  return matrix;
}
