import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { contentLoss, gramMatrix, type Loss, styleLoss } from '../../src/losses';
import { spreadOf } from '../../src/losses/spread';
import { valueAndCotangents } from '../../src/objective';
import { tinyExtractor } from '../../src/testing';
import { contentSpread } from '../../src/transfer/content-spread';
import reference from '../reference/relative-losses.json' with { type: 'json' };
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';

type Shape = [number, number, number, number];
const map = (values: number[], shape: number[]) => tf.tensor4d(values, [1, ...shape] as Shape);
const feature = () => map(reference.feature, reference.shape);

onEachBackend(() => {
  describe('relative losses', () => {
    it.each<['styleLoss' | 'squaredStyleLoss' | 'contentLoss', () => Loss]>([
      [
        'styleLoss',
        () => styleLoss({ conv1_1: map(reference.style, reference.styleShape) }, { distance: 'relative' }),
      ],
      [
        'squaredStyleLoss',
        () =>
          styleLoss({ conv1_1: map(reference.style, reference.styleShape) }, { distance: 'relative-mse' }),
      ],
      [
        'contentLoss',
        () => contentLoss({ conv1_1: map(reference.content, reference.shape) }, { relative: true }),
      ],
    ])('%s has the value and the gradient of PyTorch', (name, make) => {
      const { value, gradients } = valueAndCotangents(make(), { conv1_1: feature() });
      const expected = reference[name];
      expect(value.dataSync()[0]).toBeCloseTo(expected.value, 5);
      expect(gradients.conv1_1).toBeAllclose(map(expected.gradient, reference.shape), {
        rtol: 1e-4,
        atol: 1e-6,
      });
    });

    it('is 1 where the image has nothing, and has no slope at its target, where a norm has a kink', () => {
      const target = { conv1_1: feature() };
      const loss = styleLoss(target, { distance: 'relative', layerWeights: [3] });
      expect(loss.compute({ conv1_1: tf.zeros([1, 4, 4, 8]) }).dataSync()[0]).toBeCloseTo(3, 5);
      const { value, gradients } = valueAndCotangents(loss, target);
      expect(value.dataSync()[0]).toBe(0);
      expect(tf.max(tf.abs(gradients.conv1_1 as tf.Tensor)).dataSync()[0]).toBe(0);
    });

    it('does not depend on the scale of features, which a squared distance does', () => {
      const twice = (x: tf.Tensor4D) => tf.mul<tf.Tensor4D>(x, 2);
      const style = map(reference.style, reference.styleShape);
      const content = map(reference.content, reference.shape);
      const at = (
        make: (scale: (x: tf.Tensor4D) => tf.Tensor4D) => Loss,
        scale: (x: tf.Tensor4D) => tf.Tensor4D,
      ) =>
        make(scale)
          .compute({ conv1_1: scale(feature()) })
          .dataSync()[0];
      for (const make of [
        (scale: (x: tf.Tensor4D) => tf.Tensor4D) =>
          styleLoss({ conv1_1: scale(style) }, { distance: 'relative' }),
        (scale: (x: tf.Tensor4D) => tf.Tensor4D) =>
          styleLoss({ conv1_1: scale(style) }, { distance: 'relative-mse' }),
        (scale: (x: tf.Tensor4D) => tf.Tensor4D) =>
          contentLoss({ conv1_1: scale(content) }, { relative: true }),
      ])
        expect(at(make, twice)).toBeCloseTo(at(make, tf.clone), 5);
    });

    it('stays finite where a target is flat or zero', () => {
      const flat = { conv1_1: tf.fill<tf.Rank.R4>([1, 5, 4, 8], 0.5) };
      expect(
        contentLoss(flat, { relative: true }).compute({ conv1_1: feature() }).dataSync()[0],
      ).toBeLessThan(1e3);
      const zero = { conv1_1: tf.zeros<tf.Rank.R4>([1, 5, 4, 8]) };
      for (const loss of [
        contentLoss(zero, { relative: true }),
        styleLoss(zero, { distance: 'relative' }),
        styleLoss(zero, { distance: 'relative-mse' }),
      ]) {
        const { value, gradients } = valueAndCotangents(loss, { conv1_1: feature() });
        expect(Number.isFinite(value.dataSync()[0])).toBe(true);
        expect(Number.isFinite(tf.sum(gradients.conv1_1 as tf.Tensor).dataSync()[0])).toBe(true);
      }
      expect(tf.norm(gramMatrix(feature())).dataSync()[0]).toBeGreaterThan(0);
    });

    it('divide by the floor where the content varies less, and by its variance where it varies more', () => {
      const target = { conv1_1: map(reference.content, reference.shape) };
      const at = (options: Parameters<typeof contentLoss>[1]) =>
        contentLoss(target, options).compute({ conv1_1: feature() }).dataSync()[0];
      const variance = spreadOf(target.conv1_1);
      expect(at({ relative: true, floor: 4 * variance })).toBeCloseTo(reference.contentLoss.value / 4, 5);
      expect(at({ relative: true, floor: variance / 4 })).toBeCloseTo(reference.contentLoss.value, 5);
    });

    it('refuse a floor without relative, and one that is not above 0', () => {
      const target = { conv1_1: feature() };
      expect(() => contentLoss(target, { floor: 1 })).toThrow(
        expect.objectContaining({ code: 'CONFLICTING_OPTIONS', option: 'floor' }),
      );
      expect(() => contentLoss(target, { relative: true, floor: 0 })).toThrow(
        expect.objectContaining({ code: 'OUT_OF_RANGE', option: 'floor' }),
      );
    });

    it('have the variance of the content by bands too', () => {
      const extractor = tinyExtractor({ layers: ['relu4_2'], seed: 3 });
      const [image, layers] = [noise(90, 24, 1), ['relu2_1', 'relu4_2'] as const];
      const features = extractor.extract(image, layers);
      const whole = layers.map((layer) => spreadOf(features[layer] as tf.Tensor4D));
      for (const tiles of [1, 2, 5]) {
        const found = contentSpread(extractor, image, layers, tiles);
        for (const [i, one] of whole.entries()) expect(found[i] / one).toBeCloseTo(1, 4);
      }
      extractor.dispose();
    });
  });
});
