import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Features } from '../../src/features/extractor';
import type { LayerName } from '../../src/features/layer-name';
import type { Loss } from '../../src/losses';
import { checkGradient, expectNoLeak } from '../../src/testing';
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

/** Feature maps with distinct values, so that no magnitude's kink lies near a difference. */
export function someFeatures(seed: number, layers: readonly LayerName[] = ['conv1_1', 'conv2_2']): Features {
  return Object.fromEntries(
    layers.map((layer, i) => [
      layer,
      tf.randomNormal([1, 5, 4, layer === 'image' ? 3 : 6], 0, 1, 'float32', seed * 10 + i),
    ]),
  ) as Features;
}

/**
 * What every loss keeps: a finite scalar that is never negative, a right gradient, `terms` (if any) that say the same as `compute`,
 * no leak, and targets that are freed by `dispose()`, which may be called twice.
 */
export function lossContract(
  name: string,
  make: (target: Features) => Loss,
  layers?: readonly LayerName[],
): void {
  describe(`${name} keeps the contract of losses`, () => {
    onEachBackend(() => {
      it('computes a finite scalar that is not negative and leaves no tensor', async () => {
        const [target, at] = [someFeatures(1, layers), someFeatures(2, layers)];
        const loss = make(target);
        const value = await expectNoLeak(() => loss.compute(at));
        expect(value.shape).toEqual([]);
        expect(value.dataSync()[0]).toBeGreaterThanOrEqual(0);
        loss.dispose?.();
        tf.dispose([value, ...Object.values(target), ...Object.values(at)] as tf.Tensor[]);
      });

      it('has the gradient that central differences find', async () => {
        const [target, at] = [someFeatures(3, layers), someFeatures(4, layers)];
        const loss = make(target);
        const { maxError } = await expectNoLeak(() => checkGradient(loss, at, { tolerance: 5e-3 }));
        expect(maxError).toBeLessThan(5e-3);
        loss.dispose?.();
        tf.dispose([...Object.values(target), ...Object.values(at)] as tf.Tensor[]);
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
