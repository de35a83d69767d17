import type { StatisticTerm } from '../../../losses/loss';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { FeatureMap } from '../network/pass';
import type { KernelRunner } from '../runtime/kernel-runner';
import { tensorValues } from '../tensor-values';
import { gramShares, type MapShape } from './gram-term';
import { type LayerWeights, noWeights, weightsOf } from './mask-weights';
import type { MomentsDistance } from './moments-distance';
import type { EngineTerm } from './terms';
import { WassersteinDistance, wassersteinBytes } from './wasserstein-distance';

/** Bytes of {@link momentsTerm} for a map of n channels, of the statistic that takes the most. */
export const momentsTermBytes = (n: number): number =>
  gramShares * (4 * n * n + 16 * n) + 8 * n * n + 12 * n + wassersteinBytes(n);

/**
 * A distance of means with variances or covariances, as styleLoss by the statistics `'mean-variance'` and
 * `'wasserstein'`: from sums of each channel, of its squares, and of products of channels, all of which add up over
 * parts of a map.
 *
 * @param shape of the whole feature map
 * @param weights of the map's positions
 */
export function momentsTerm(
  engine: KernelRunner,
  term: StatisticTerm,
  shape: MapShape,
  weights: LayerWeights = noWeights,
): EngineTerm {
  const { memory } = engine;
  const [, height, width, n] = shape;
  /** What sums are divided by in means. */
  const positions = (height * width) / weights.ratio;
  return owning(({ result }) => {
    const blocks = result(new Blocks(memory));
    const distance =
      term.statistic === 'wasserstein'
        ? result(new WassersteinDistance(engine, term, shape))
        : meanVarianceDistance(term, shape);
    const products = distance.products ? blocks.allocateFloats(gramShares * n * n) : 0;
    const productTotals = products && blocks.allocate(8 * n * n);
    const sums = blocks.allocate(gramShares * 16 * n);
    const factors = blocks.allocateFloats(2 * n);
    const totals = new Float64Array(2 * n);
    let current: { readonly value: number; readonly weight: number } | undefined;

    /** Runs kernels that divide the pixels of a map into shares. */
    const divided = ({ height: rows, width: columns }: FeatureMap) => {
      const pixels = rows * columns;
      // Multiples of four keep products whole.
      const share = Math.ceil(pixels / gramShares / 4) * 4;
      return { pixels, share, items: Math.ceil(pixels / share) };
    };
    const differentiate = (weight: number): number => {
      if (current?.weight === weight) return current.value;
      const matrix = products ? memory.doubles(productTotals, n * n) : undefined;
      const found = distance.differentiate({ totals, products: matrix, positions }, weight);
      memory.floats(factors, 2 * n).set(found.factors);
      memory.floats(factors + 4 * n, n).set(found.addends);
      current = { value: found.value, weight };
      return found.value;
    };
    return {
      begin() {
        totals.fill(0);
        if (products) memory.doubles(productTotals, n * n).fill(0);
        current = undefined;
      },
      accumulate(map) {
        const { pixels, share, items } = divided(map);
        const args = [map.address, pixels, n, Number(map.relu), share];
        const mask = weightsOf(weights, map);
        engine.run('momentsForward', [...args, sums, 0, 0, mask], items);
        const parts = memory.doubles(sums, items * 2 * n);
        for (let i = 0; i < parts.length; i++) totals[i % (2 * n)] += parts[i];
        if (products) {
          engine.run('gramForward', [...args, products, 0, 0, mask], items);
          engine.run('gramTotal', [products, items, n, productTotals], Math.ceil(n / 8));
        }
        current = undefined;
      },
      contribute(map, gradient, weight) {
        differentiate(weight);
        const { pixels, share, items } = divided(map);
        const args = [map.address, pixels, n, Number(map.relu), share];
        const mask = weightsOf(weights, map);
        if (distance.products)
          engine.run('gramBackward', [...args, 0, distance.products, gradient, mask], items);
        engine.run('momentsBackward', [...args, 0, factors, gradient, mask], items);
      },
      value: () => current?.value ?? differentiate(1),
      dispose() {
        blocks.dispose();
        distance.dispose();
      },
    };
  });
}

/** As `meanVariance`: the mean over channels of (mu - mu^)^2 + (sigma - sigma^)^2. */
function meanVarianceDistance({ target, layer }: StatisticTerm, [, , , n]: MapShape): MomentsDistance {
  const [means, deviations] = target.map((tensor) =>
    tensorValues(tensor, `The target of ${layer}`, [1, n], layer),
  );
  return {
    products: 0,
    differentiate({ totals, positions }, weight) {
      const [factors, addends] = [new Float32Array(n), new Float32Array(n)];
      let value = 0;
      for (let c = 0; c < n; c++) {
        const mean = totals[c] / positions;
        const deviation = Math.sqrt(Math.max(0, totals[n + c] / positions - mean ** 2) + epsilon);
        const [byMean, byDeviation] = [mean - means[c], deviation - deviations[c]];
        value += byMean ** 2 + byDeviation ** 2;
        // d mu / d F = 1/m; d sigma / d F = (F - mu) / (m sigma)
        const slope = (2 * weight) / (n * positions);
        factors[c] = (slope * byDeviation) / deviation;
        addends[c] = slope * byMean - factors[c] * mean;
      }
      return { value: value / n, factors, addends };
    },
    dispose() {},
  };
}

/** Added to variances, as in `meanVariance`. */
const epsilon = 1e-5;
