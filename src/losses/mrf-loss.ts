import * as tf from '@tensorflow/tfjs-core';
import { ImageError, InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { optionTable } from '../options/table';
import { owning } from '../owning';
import { addAll, sumOf } from '../sums';
import { type Loss, owningLoss } from './loss';
import { layersOption, requireFeature, targetLayers } from './require-features';

/** Options of {@link mrfLoss}. */
export interface MrfLossOptions {
  /** Layers to compare; Li & Wand 2016 take relu3_1 and relu4_1. @default every layer of the target */
  readonly layers?: readonly LayerName[] | undefined;
}

const mrfLossOptions = optionTable<MrfLossOptions>()('mrfLoss', { layers: layersOption });

/** Side of a patch. */
const side = 3;

/**
 * Products of positions that are in memory at a time, 16 MiB, and their sums as often: the target's rows are compared
 * in blocks.
 */
const productsInBlock = 2 ** 22;

/**
 * Distance of an image's local patterns from a style image's (Li & Wand 2016, "Combining Markov random fields and
 * convolutional neural networks for image synthesis", eq. 2 and 3): each 3x3 patch of the features is compared with the
 * target's patch of the largest normalised cross-correlation. The sum over layers of the mean of (P - T)^2 over patches
 * and their entries.
 *
 * Li & Wand sum where this takes means, so that the loss does not depend on the size. Matches count as constant in the
 * gradient. Memory is bounded: target patches are compared in blocks.
 *
 * @param target the style image's features, [1, h, w, c] each, at least 3x3; not disposed, and not needed by the caller
 *   any more
 * @returns a loss named `mrf`; it belongs to the caller
 * @throws InvalidArgumentError if a layer is not in the target; ImageError if it has fewer than 3x3 positions
 * @example
 * ```ts
 * const target = extractor.extract(style, ['relu3_1', 'relu4_1']);
 * const loss = sum([contentLoss(content), weighted(0.1, mrfLoss(target))]);
 * ```
 */
export function mrfLoss(target: Features, options: MrfLossOptions = {}): Loss {
  const { layers: given } = mrfLossOptions.read(options);
  const layers = targetLayers('mrfLoss', target, given);
  return owning(({ result }) => {
    const kept = new Map(
      layers.map((layer) => {
        const feature = requireFeature('mrfLoss', target, layer);
        requirePatch(layer, feature);
        return [layer, result(tf.keep(tf.clone(feature)))] as const;
      }),
    );
    const compute = (features: Features): tf.Scalar =>
      tf.tidy(() =>
        [...kept]
          .map(([layer, style]) => {
            const feature = requireFeature('mrfLoss', features, layer);
            requirePatch(layer, feature);
            requireChannels(layer, feature, style);
            return distanceToNearest(feature, style);
          })
          .reduce((a, b) => tf.add(a, b)),
      );
    return owningLoss({ name: 'mrf', layers, compute }, [...kept.values()]);
  });
}

/** The mean squared distance of the patches of `feature` from their nearest ones in `style`. */
function distanceToNearest(feature: tf.Tensor4D, style: tf.Tensor4D): tf.Scalar {
  const compute = tf.customGrad((x, save) => {
    const [, height, width, channels] = feature.shape;
    const [rows, columns] = [height - side + 1, width - side + 1];
    const places = nearestPatches(x as tf.Tensor4D, style);
    const entries = rows * columns * channels * side * side;
    const positions: tf.Tensor2D = tf.reshape(style, [-1, channels]);
    // The entries at one offset within patches are a part of the map, shifted: patches are never laid out.
    const gradients: tf.Tensor4D[] = [];
    const values = offsets.map(([dy, dx]) => {
      const part = tf.slice(x as tf.Tensor4D, [0, dy, dx, 0], [1, rows, columns, channels]);
      const matched = tf.gather(positions, tf.add(places, tf.scalar(dy * style.shape[2] + dx, 'int32')));
      const difference: tf.Tensor4D = tf.sub(part, tf.reshape(matched, part.shape));
      const padding: [number, number][] = [
        [0, 0],
        [dy, side - 1 - dy],
        [dx, side - 1 - dx],
        [0, 0],
      ];
      gradients.push(tf.pad(difference, padding) as tf.Tensor4D);
      return sumOf(tf.square(difference));
    });
    (save as tf.GradSaveFunc)([addAll(gradients)]);
    const gradFunc = (dy: tf.Tensor, [sum]: tf.Tensor[]) => tf.mul(sum, tf.mul(dy, 2 / entries));
    return { value: tf.div(addAll(values), entries), gradFunc };
  });
  return compute(feature) as tf.Scalar;
}

const offsets = Array.from({ length: side * side }, (_, i) => [Math.floor(i / side), i % side] as const);

/**
 * For each patch of `feature`, the index (y * width + x of its first position) of the patch of `style` with the largest
 * normalised cross-correlation; the norm of the feature's own patch does not change the order.
 *
 * Two patches correlate by the sum of the products of their positions. Each pair of positions is in nine pairs of
 * patches: products come from one product of matrices, a ninth of the multiplications of a convolution with all
 * patches, and are added up along both axes.
 *
 * @returns [patches], int32
 */
function nearestPatches(feature: tf.Tensor4D, style: tf.Tensor4D): tf.Tensor1D {
  const [, height, width, channels] = feature.shape;
  const [, styleHeight, styleWidth] = style.shape;
  const positions: tf.Tensor2D = tf.reshape(feature, [height * width, channels]);
  const styleRows = styleHeight - side + 1;
  const rowsInBlock = Math.max(1, Math.floor(productsInBlock / (height * width * styleWidth)) - (side - 1));
  let best: { readonly score: tf.Tensor1D; readonly place: tf.Tensor1D } | undefined;
  for (let top = 0; top < styleRows; top += rowsInBlock) {
    const count = Math.min(rowsInBlock, styleRows - top) + side - 1;
    const before = best;
    best = tf.tidy(() => {
      const part = tf.slice(style, [0, top, 0, 0], [1, count, styleWidth, channels]);
      const others: tf.Tensor2D = tf.reshape(part, [count * styleWidth, channels]);
      const scores = scoresOf(positions, width, others, styleWidth);
      const score: tf.Tensor1D = tf.max(scores, 1);
      const index = tf.argMax(scores, 1) as tf.Tensor1D;
      const place: tf.Tensor1D = tf.add(index, tf.scalar(top * styleWidth, 'int32'));
      if (!before) return { score, place };
      // The first of equal scores wins, as in argMax.
      const better = tf.greater(score, before.score);
      return { score: tf.where(better, score, before.score), place: tf.where(better, place, before.place) };
    });
    if (before) tf.dispose([before.score, before.place]);
  }
  if (!best)
    throw new RangeError(`no patch in a map of shape [1, ${styleHeight}, ${styleWidth}, ${channels}]`);
  const { score, place } = best;
  score.dispose();
  return tf.tidy(() => {
    const [rows, columns] = [height - side + 1, width - side + 1];
    return tf.reshape(tf.slice(tf.reshape(place, [height, width]), [0, 0], [rows, columns]), [
      rows * columns,
    ]);
  });
}

/**
 * The correlation of the patches that begin at each position of one map, of `width` columns, with those that begin at
 * each position of another, divided by the latter's norm. Patches of the other map that would leave it have the lowest
 * score; scores of those of the first map mean nothing.
 *
 * @param positions [positions, channels] of the first map
 * @param others likewise of the other one
 * @returns [positions, others]
 */
function scoresOf(
  positions: tf.Tensor2D,
  width: number,
  others: tf.Tensor2D,
  otherWidth: number,
): tf.Tensor2D {
  const [[count], [otherCount]] = [positions.shape, others.shape];
  const products = tf.reshape(tf.matMul(positions, tf.transpose(others)), [-1]) as tf.Tensor1D;
  const norms = tf.sqrt(patchSums(tf.sum<tf.Tensor1D>(tf.square(others), 1), 1, otherWidth));
  const inside = Float32Array.from({ length: otherCount }, (_, q) =>
    Number(q % otherWidth <= otherWidth - side && q / otherWidth < otherCount / otherWidth - side + 1),
  );
  // A patch of zeros matches nothing better than another: its correlation is 0.
  const factors = tf.divNoNan(inside, norms) as tf.Tensor1D;
  // Steps of one position, and of one row, in both maps.
  const correlations = patchSums(products, otherCount + 1, width * otherCount + otherWidth);
  return tf.add(
    tf.mul(tf.reshape(correlations, [count, otherCount]), factors),
    tf.tensor1d(inside.map((one) => (one ? 0 : lowest))),
  );
}

/** Below every correlation. */
const lowest = -3e38;

/**
 * The sum of a row of numbers with itself shifted to all places of a patch, `across` being the step to the next column
 * and `down` to the next row. One-dimensional parts are contiguous, which every backend copies fast.
 */
function patchSums(row: tf.Tensor1D, across: number, down: number): tf.Tensor1D {
  const sums = [across, down].reduce((sum, step) => {
    const length = sum.size - (side - 1) * step;
    return tf.addN(Array.from({ length: side }, (_, k) => tf.slice1d(sum, k * step, length))) as tf.Tensor1D;
  }, row);
  return tf.pad1d(sums, [0, row.size - sums.size]);
}

function requirePatch(layer: LayerName, { shape }: tf.Tensor4D): void {
  const [, height, width] = shape;
  if (height >= side && width >= side) return;
  const accepted = `at least ${side}x${side} positions: a larger image or a layer before`;
  throw new ImageError(
    'TOO_SMALL',
    `mrfLoss: the features of ${layer} have ${height}x${width} positions; accepted: ${accepted}.`,
    { option: layer, value: shape, accepted },
  );
}

function requireChannels(layer: LayerName, feature: tf.Tensor4D, style: tf.Tensor4D): void {
  if (feature.shape[3] === style.shape[3]) return;
  const accepted = `${style.shape[3]} channels, as the target has`;
  throw new InvalidArgumentError(
    'WRONG_SHAPE',
    `mrfLoss: the features of ${layer} have ${feature.shape[3]} channels; accepted: ${accepted}.`,
    { option: layer, value: feature.shape, accepted },
  );
}
