import type { StatisticTerm } from '../../../losses/loss';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';
import { tensorValues } from '../tensor-values';
import type { MapShape } from './gram-term';
import type { EngineTerm } from './terms';

/** Channels of an item of work. */
const channels = 4;

/** Bytes of scratch memory of a thread: four floats and two pairs of integers for a position, and counts. */
const scratchBytes = (positions: number): number => 32 * positions + 8192;

/** Bytes of {@link histogramTerm} for a map of n channels, with the scratch memory of some threads. */
export const histogramTermBytes = (n: number, positions: number, threads: number): number =>
  4 * n * 1024 + 2 * n + threads * scratchBytes(positions);

/**
 * mean((F - R)^2) with R the map after matching each channel's histogram to the target's, as styleLoss by the statistic
 * `'histogram'`. It needs the whole map at once.
 */
export function histogramTerm(
  engine: KernelRunner,
  { target, layer }: StatisticTerm,
  [, height, width, n]: MapShape,
): EngineTerm {
  const { memory } = engine;
  const quantiles = target[0].shape[1] as number;
  const items = n / channels;
  return owning(({ result }) => {
    const blocks = result(new Blocks(memory));
    const rows = blocks.put(tensorValues(target[0], `The target of ${layer}`, [n, quantiles], layer));
    const sums = blocks.allocate(8 * items);
    engine.needScratch(scratchBytes(height * width));
    let value = 0;
    return {
      begin() {
        value = 0;
      },
      accumulate: () => {},
      contribute(map, gradient, weight) {
        const { address, relu } = map;
        const positions = map.height * map.width;
        const factor = { float: (2 * weight) / (positions * n) };
        const args = [address, positions, n, Number(relu), rows, quantiles, factor, gradient, sums];
        engine.run('histogramDistance', args, items);
        value = memory.doubles(sums, items).reduce((a, b) => a + b, 0) / (positions * n);
      },
      value: () => value,
      dispose: () => blocks.dispose(),
    };
  });
}
