import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Features } from '../../src/features/extractor';
import type { LayerName } from '../../src/features/layer-name';
import type { Loss } from '../../src/losses';
import { type LossTerm, leaves } from '../../src/losses';
import { checkGradient, expectNoLeak } from '../../src/testing';
import { isGpu, onEachBackend } from '../support/backends';
import { numbersOf } from '../support/to-be-allclose';

/** Feature maps with distinct values, so that no magnitude's kink lies near a difference. */
export function someFeatures(seed: number, layers: readonly LayerName[] = ['conv1_1', 'conv2_2']): Features {
  return Object.fromEntries(
    layers.map((layer, i) => [
      layer,
      tf.randomNormal([1, 5, 4, layer === 'image' ? 3 : 6], 0, 1, 'float32', seed * 10 + i),
    ]),
  ) as Features;
}

/** A term of a loss from its data alone, by plain loops in double precision. */
async function termByLoops(term: LossTerm, features: Features): Promise<number> {
  const feature = features[term.layer] as tf.Tensor4D;
  const [, height, width, channels] = feature.shape;
  const f = await feature.data();
  const size = (d: number) => (term.distance === 'mse' ? d * d : Math.abs(d));
  const meanDistance = (differences: readonly number[]) =>
    differences.reduce((sum, d) => sum + size(d), 0) / differences.length;
  const weights = await weightsByLoops(term, height, width);
  const total = (of: readonly number[]) =>
    term.mask?.mean === 'positions' ? of.length : of.reduce((a, b) => a + b, 0);
  if (term.kind === 'feature') {
    const target = await (term.target instanceof tf.Tensor ? term.target : term.target.map()).data();
    const summands = Array.from(f, (value, i) => weights[Math.floor(i / channels)] * size(value - target[i]));
    return summands.reduce((a, b) => a + b, 0) / (channels * total(weights));
  }
  if (term.kind === 'gram') {
    const target = await term.target.data();
    const positions = height * width;
    const divisor =
      ({ elements: positions * channels, positions, none: 1 }[term.normalization] * total(weights)) /
      positions;
    const gram = Array.from({ length: channels * channels }, (_, at) => {
      const [i, j] = [Math.floor(at / channels), at % channels];
      let sum = 0;
      for (let k = 0; k < positions; k++) sum += weights[k] * f[k * channels + i] * f[k * channels + j];
      return sum / divisor;
    });
    return meanDistance(gram.map((value, i) => value - target[i]));
  }
  const at = (y: number, x: number, c: number) => f[(y * width + x) * channels + c];
  const weightAt = (y: number, x: number) => weights[y * width + x];
  const [across, down]: [Pair[], Pair[]] = [[], []];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) {
        if (x + 1 < width) across.push([at(y, x + 1, c) - at(y, x, c), weightAt(y, x) * weightAt(y, x + 1)]);
        if (y + 1 < height) down.push([at(y + 1, x, c) - at(y, x, c), weightAt(y, x) * weightAt(y + 1, x)]);
      }
  const meanOf = (pairs: readonly Pair[]) =>
    pairs.reduce((sum, [difference, weight]) => sum + weight * size(difference), 0) /
    total(pairs.map(([, weight]) => weight));
  return meanOf(across) + meanOf(down);
}

/** The difference of two neighbours, and the weight of their pair. */
type Pair = readonly [difference: number, weight: number];

/** The weights of a term's positions: averages of its mask over windows, or ones. */
async function weightsByLoops({ mask }: LossTerm, height: number, width: number): Promise<number[]> {
  if (!mask) return new Array<number>(height * width).fill(1);
  const pixels = await mask.weights.data();
  const window = Math.floor(mask.weights.shape[0] / height);
  return Array.from({ length: height * width }, (_, k) => {
    const [top, left] = [window * Math.floor(k / width), window * (k % width)];
    let sum = 0;
    for (let y = top; y < top + window; y++)
      for (let x = left; x < left + window; x++) sum += pixels[y * mask.weights.shape[1] + x];
    return sum / window ** 2;
  });
}

/**
 * The contract of losses: a finite scalar that is never negative, a right gradient, `terms` (if any) that say the same
 * as `compute`, no leak, targets that are freed by `dispose()`, which may be called twice, and `DISPOSED` for every use
 * after it.
 */
export function lossContract(
  name: string,
  make: (target: Features) => Loss,
  layers?: readonly LayerName[],
  tolerance = 5e-3,
): void {
  describe(`${name} keeps the contract of losses`, () => {
    onEachBackend((backend) => {
      const differences = isGpu(backend) ? { directions: 1, steps: [3e-3, 1e-3] } : {};

      it('computes a finite scalar that is not negative and leaves no tensor', async () => {
        const [target, at] = [someFeatures(1, layers), someFeatures(2, layers)];
        const loss = make(target);
        const value = await expectNoLeak(() => loss.compute(at));
        expect(value.shape).toEqual([]);
        expect((await value.data())[0]).toBeGreaterThanOrEqual(0);
        loss.dispose?.();
        tf.dispose([value, ...Object.values(target), ...Object.values(at)] as tf.Tensor[]);
      });

      it('has the gradient that central differences find', async () => {
        const [target, at] = [someFeatures(3, layers), someFeatures(4, layers)];
        const loss = make(target);
        const { maxError } = await expectNoLeak(() => checkGradient(loss, at, { tolerance, ...differences }));
        expect(maxError).toBeLessThan(tolerance);
        loss.dispose?.();
        tf.dispose([...Object.values(target), ...Object.values(at)] as tf.Tensor[]);
      });

      it('is the weighted sum of the terms by which it describes itself', async () => {
        const [target, at] = [someFeatures(7, layers), someFeatures(8, layers)];
        const loss = make(target);
        let sum = 0;
        for (const { weight, loss: leaf } of leaves(loss)) {
          const [value] = await numbersOf(leaf.compute(at));
          sum += weight * value;
          const { terms } = leaf;
          if (!terms) continue;
          expect(terms.length).toBeGreaterThan(0);
          expect(leaf.layers).toEqual(expect.arrayContaining(terms.map(({ layer }) => layer)));
          let expected = 0;
          for (const term of terms) expected += term.weight * (await termByLoops(term, at));
          expect([value]).toBeAllclose([expected], { rtol: 1e-5 });
        }
        expect(await numbersOf(loss.compute(at))).toBeAllclose([sum], { rtol: 1e-5 });
        loss.dispose?.();
      });

      it('refuses every use after it is disposed', () => {
        const [target, at] = [someFeatures(9, layers), someFeatures(10, layers)];
        const loss = make(target);
        const described = loss.terms !== undefined;
        loss.dispose?.();
        expect(() => loss.compute(at)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
        if (described) expect(() => loss.terms).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      });

      it('holds its targets until it is disposed, and stands a second time', () => {
        const before = tf.memory().numTensors;
        const target = someFeatures(5, layers);
        const at = someFeatures(6, layers);
        const loss = make(target);
        tf.dispose(Object.values(target) as tf.Tensor[]);
        loss.compute(at).dispose();
        loss.dispose?.();
        loss.dispose?.();
        tf.dispose(Object.values(at) as tf.Tensor[]);
        expect(tf.memory().numTensors).toBe(before);
      });
    });
  });
}
