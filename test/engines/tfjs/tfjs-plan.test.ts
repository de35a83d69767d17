import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { EngineExtractor } from '../../../src/engines/engine';
import { planRun } from '../../../src/engines/tfjs/tfjs-plan';
import type { LayerName } from '../../../src/features/layer-name';
import { vgg19Network } from '../../../src/features/vgg19/network';
import { paperLayers } from '../../../src/features/vgg19/paper-layers';
import { styleLoss, sum, totalVariationLoss, within } from '../../../src/losses';
import { lossOfImage } from '../../../src/losses/image-target';
import { createObjective } from '../../../src/objective';
import { tinyExtractor } from '../../../src/testing';
import { requestOf, roomForTiles } from '../../contracts/tiles';
import { onEachBackend } from '../../support/backends';
import { noise } from '../../support/images';

const { steps } = vgg19Network({ lastLayer: 'conv3_1' });
const paper = { layers: paperLayers, featureTargets: ['conv2_2'], gramLayers: paperLayers } as const;
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'OUT_OF_MEMORY', message: expect.stringMatching(message) });

onEachBackend((backend) => {
  describe('the memory that the tfjs engine plans', () => {
    it.each([1, 2, 5])('is what an evaluation by %d tiles takes at its peak', async (tiles) => {
      const size = [192, 40] as const;
      const extractor: EngineExtractor = tinyExtractor({ layers: ['conv3_1'], channels: 16 });
      const [content, style, image] = [noise(...size, 1), noise(20, 20, 2), noise(...size, 3)];
      const layers: LayerName[] = ['conv1_1', 'conv2_1', 'conv3_1'];
      const losses = [
        lossOfImage(extractor, content, { name: 'content', layers: ['conv2_2'], distance: 'mse' }),
        styleLoss(extractor.extract(style, layers)),
      ];
      for (const loss of [sum(losses), sum([...losses, totalVariationLoss()])]) {
        const room = tiles === 1 ? undefined : roomForTiles(extractor, loss, size, tiles);
        const before = tf.memory().numBytes;
        const objective = createObjective(extractor, loss, size, { room });
        const { peakBytes } = await tf.profile(() => {
          const { value, gradient } = objective.evaluate(image);
          return [value, gradient];
        });
        const taken = peakBytes - before;
        const bytes = extractor.plan?.({ ...requestOf(loss, size), room }).bytes ?? 0;
        expect(taken).toBeLessThanOrEqual(bytes);
        expect(taken).toBeGreaterThan(0.5 * bytes);
        objective.dispose();
      }
      extractor.dispose();
    });

    it.each([1, 4])('counts the masks of terms: %d tiles', async (tiles) => {
      const size = [192, 40] as const;
      const extractor: EngineExtractor = tinyExtractor({ layers: ['conv3_1'], channels: 16 });
      const [content, style, image] = [noise(...size, 1), noise(20, 20, 2), noise(...size, 3)];
      const features = extractor.extract(style, ['conv1_1', 'conv2_1', 'conv3_1']);
      const masks = [1, 2, 3].map((seed) => tf.randomUniform<tf.Rank.R2>([...size], 0, 1, 'float32', seed));
      const target = lossOfImage(extractor, content, {
        name: 'content',
        layers: ['conv2_2'],
        distance: 'mse',
      });
      const loss = sum([target, ...masks.map((mask) => within(mask, styleLoss(features)))]);
      const room = tiles === 1 ? undefined : roomForTiles(extractor, loss, size, tiles);
      const before = tf.memory().numBytes;
      const objective = createObjective(extractor, loss, size, { room });
      const { peakBytes } = await tf.profile(() => {
        const { value, gradient } = objective.evaluate(image);
        return [value, gradient];
      });
      const request = {
        ...requestOf(loss, size),
        style: { layers: ['conv1_1', 'conv2_1', 'conv3_1'] as const, size: [20, 20] as const },
      };
      const planned = extractor.plan?.({ ...request, masks: { styles: 3, content: false }, room });
      expect(planned?.tiles === 1).toBe(tiles === 1);
      expect(peakBytes - before).toBeLessThanOrEqual(planned?.bytes ?? 0);
      expect(peakBytes - before).toBeGreaterThan(0.5 * (planned?.bytes ?? 0));
      objective.dispose();
      extractor.dispose();
    });

    it('is limited by the heap of tfjs-wasm only, unless there is less room', () => {
      const plan = planRun(steps, { ...paper, size: [4096, 4096] });
      if (backend === 'cpu') expect(plan.tiles).toBe(1);
      else {
        expect(plan.tiles).toBeGreaterThan(1);
        expect(plan.bytes).toBeLessThan(2 ** 32);
      }
      const tiled = planRun(steps, { ...paper, size: [1024, 1024], room: 3e8 });
      expect(tiled.tiles).toBeGreaterThan(1);
      expect(tiled.bytes).toBeLessThanOrEqual(3e8);
      expect(tiled.bytes).toBe(tiled.maps + tiled.targets);
      // Half as much again for Gram matrices, and halos.
      expect(plan.tiles === 1 ? plan.work : 1).toBe(1);
      expect(tiled.work).toBeGreaterThan(1.5);
    });

    it('holds targets where there is room for them', () => {
      const [size, whole] = [[512, 512] as const, planRun(steps, { ...paper, size: [512, 512] })];
      expect(planRun(steps, { ...paper, size, room: 0.6 * whole.bytes }).targets).toBe(4 * 256 * 256 * 128);
      expect(planRun(steps, { ...paper, size, room: 7e7 }).targets).toBe(0);
    });

    it('refuses what does not fit, with a size that does', () => {
      expect(() => planRun(steps, { ...paper, size: [4096, 4096], room: 1e8 })).toThrow(
        refusal(
          /^An image of 4096 x 4096 pixels takes at least \d+ MiB .* tfjs engine, which may use 96 MiB; accepted: about 1?\d{3} x 1?\d{3} pixels\.$/,
        ),
      );
      // Losses of the image alone are not computed by tiles.
      expect(() => planRun(steps, { layers: ['image'], size: [1024, 1024], room: 1e7 })).toThrow(
        refusal(/about \d{3} x \d{3} pixels/),
      );
      const extractor: EngineExtractor = tinyExtractor();
      const style = { layers: ['conv3_1'], size: [4096, 4096] } as const;
      expect(() => extractor.plan?.({ layers: ['conv3_1'], size: [16, 16], style, room: 1e6 })).toThrow(
        refusal(/^A style image of 4096 x 4096/),
      );
      extractor.dispose();
    });
  });
});
