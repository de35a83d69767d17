import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { EngineExtractor, MemoryRequest } from '../../src/engines/engine';
import { untileable } from '../../src/engines/shared/tileable';
import type { Features } from '../../src/features/extractor';
import type { LayerName } from '../../src/features/layer-name';
import {
  contentLoss,
  defineLoss,
  edgeLoss,
  type Loss,
  leaves,
  mrfLoss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
  within,
} from '../../src/losses';
import { lossOfImage } from '../../src/losses/image-target';
import { createObjective, type Evaluation } from '../../src/objective';
import { checkGradient, expectNoLeak } from '../../src/testing';
import { noise } from '../support/images';
import '../support/to-be-allclose';

/** [height, width] of an image. */
type Size = readonly [height: number, width: number];

/** Losses, by what they are, of an extractor that has conv1_1, conv2_2 and conv3_1, for an image of a size. */
const losses: Readonly<Record<string, (extractor: EngineExtractor, size: Size) => Loss>> = {
  'content, by feature maps': (extractor, [h, w]) =>
    lossOfFeatures(extractor, noise(h, w, 1), ['conv2_2', 'conv3_1'], (target) => contentLoss(target)),
  'content l1, of the image in place of its features': (extractor, [h, w]) =>
    ofImage(extractor, [h, w], { name: 'content', layers: ['conv1_1', 'conv2_2'], distance: 'l1' }),
  'perceptual, of the image in place of its features': (extractor, [h, w]) =>
    ofImage(extractor, [h, w], { name: 'perceptual', layers: ['conv3_1'], distance: 'mse' }),
  perceptual: (extractor, [h, w]) =>
    lossOfFeatures(extractor, noise(h, w, 1), ['conv1_1', 'conv3_1'], (target) => perceptualLoss(target)),
  'style by elements': (extractor) =>
    lossOfFeatures(extractor, noise(19, 14, 2), ['conv1_1', 'conv2_2', 'conv3_1'], (target) =>
      styleLoss(target),
    ),
  'style l1 by positions, with weights of layers': (extractor) =>
    lossOfFeatures(extractor, noise(19, 14, 2), ['conv1_1', 'conv3_1'], (target) =>
      styleLoss(target, { normalization: 'positions', distance: 'l1', layerWeights: [0.2, 3] }),
    ),
  'relative style': (extractor) =>
    lossOfFeatures(extractor, noise(19, 14, 2), ['conv1_1', 'conv2_2', 'conv3_1'], (target) =>
      styleLoss(target, { distance: 'relative', layerWeights: [1, 0.5, 2] }),
    ),
  'style without normalisation, and two at one layer': (extractor) =>
    lossOfFeatures(extractor, noise(19, 14, 2), ['conv2_2'], (target) =>
      sum([styleLoss(target, { normalization: 'none' }), weighted(5, styleLoss(target))]),
    ),
  'features and Gram matrices of the image itself': (extractor, [h, w]) =>
    lossOfFeatures(extractor, noise(h, w, 1), ['image', 'conv2_2'], (target) =>
      sum([contentLoss(target), weighted(10, styleLoss(target))]),
    ),
  'style within two soft masks, and beside them': (extractor, [h, w]) => {
    const masks = [11, 12].map((seed) => tf.randomUniform<tf.Rank.R2>([h, w], 0, 1, 'float32', seed));
    const style = (seed: number, distance: 'mse' | 'l1') =>
      lossOfFeatures(extractor, noise(19, 14, seed), ['conv1_1', 'conv2_2', 'conv3_1'], (target) =>
        styleLoss(target, { distance }),
      );
    const loss = sum([
      within(masks[0], style(2, 'mse')),
      weighted(3, within(masks[1], style(3, 'l1'))),
      style(4, 'mse'),
    ]);
    tf.dispose(masks);
    return loss;
  },
  'content within a mask, by features and of the image in place of them': (extractor, [h, w]) => {
    const mask = tf.randomUniform<tf.Rank.R2>([h, w], 0, 1, 'float32', 13);
    const loss = sum([
      within(
        mask,
        lossOfFeatures(extractor, noise(h, w, 1), ['conv1_1', 'conv3_1'], (target) => contentLoss(target)),
      ),
      within(mask, ofImage(extractor, [h, w], { name: 'perceptual', layers: ['conv2_2'], distance: 'l1' })),
    ]);
    mask.dispose();
    return loss;
  },
  'the image alone beside a layer': (extractor, [h, w]) => {
    const [image, mask] = [noise(h, w, 1), tf.randomUniform<tf.Rank.R2>([h, w], 0, 1, 'float32', 4)];
    const own = defineLoss({
      name: 'grey',
      layers: ['image'],
      compute: (features) => tf.mean(tf.square(tf.sub(tf.mean(features.image, [0, 1, 2]), 0.4))),
    });
    const content = lossOfFeatures(extractor, tf.clone(image), ['conv2_2'], (target) => contentLoss(target));
    const loss = sum([
      weighted(3, pixelLoss(image)),
      totalVariationLoss(),
      weighted(2, totalVariationLoss({ distance: 'l1' })),
      within(mask, pixelLoss(image, { distance: 'mse' })),
      weighted(7, own),
      weighted(20, edgeLoss(image)),
      content,
    ]);
    tf.dispose([image, mask]);
    return loss;
  },
};

/**
 * The contract of objectives that are computed by tiles: value, terms and gradient of the whole image within 1e-5, for
 * every loss of the library at any size; refusal of what tiles cannot compute; no leak, whatever fails.
 *
 * @param make an extractor with `plan`, which has conv1_1, conv2_2 and conv3_1, and average pooling, since central
 *   differences say nothing at the kinks of a maximum
 */
export function tileContract(make: () => Promise<EngineExtractor> | EngineExtractor): void {
  it.each(Object.keys(losses))('gives the value and the gradient of the whole image: %s', async (name) => {
    for (const size of [
      [131, 13],
      [104, 12],
    ] as const) {
      const extractor = await make();
      const loss = losses[name](extractor, size);
      await expectTilesLikeWhole(extractor, loss, size);
      loss.dispose?.();
      extractor.dispose();
    }
  });

  it('has the gradient that central differences find', async () => {
    const size = [90, 9] as const;
    const extractor = await make();
    const loss = sum([losses.perceptual(extractor, size), losses['style by elements'](extractor, size)]);
    const objective = createObjective(extractor, loss, size, {
      room: roomForTiles(extractor, loss, size, 3),
    });
    const { maxError } = await checkGradient(objective, noise(...size, 5), {
      steps: [1e-2, 3e-3, 1e-3, 3e-4],
      tolerance: 0.03,
    });
    expect(maxError).toBeLessThan(0.03);
    objective.dispose();
    loss.dispose?.();
    extractor.dispose();
  });

  it('gives the Gram matrices of a whole image', async () => {
    const extractor = await make();
    const [layers, image] = [['conv1_1', 'conv2_2', 'conv3_1'] as const, noise(70, 21, 6)];
    const whole = extractor.gramMatrices?.(image, layers);
    let tiled = whole;
    // The least room that is not refused.
    for (let room = 2 ** 24; ; room *= 0.8) {
      try {
        const next = await expectNoLeak(() => extractor.gramMatrices?.(image, layers, { room }));
        tiled = next;
      } catch (error) {
        expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
        break;
      }
    }
    for (const layer of layers) expectClose(tiled?.[layer] as tf.Tensor, whole?.[layer] as tf.Tensor);
    extractor.dispose();
  });

  it('refuses a loss that tiles cannot compute, before any work, with the reason and what works', async () => {
    const size = [120, 20] as const;
    const extractor = await make();
    const custom = defineLoss({
      name: 'mine',
      layers: ['conv2_2'],
      compute: ({ conv2_2 }) => tf.mean(tf.square(conv2_2)),
    });
    const style = (make: (target: Features) => Loss) =>
      lossOfFeatures(extractor, noise(19, 14, 2), ['conv1_1', 'conv2_2'], make);
    const refused = [
      ['mine', custom],
      ['style', style((target) => styleLoss(target, { statistic: 'mean-variance' }))],
      ['mrf', style((target) => mrfLoss(target))],
    ] as const;
    for (const [name, loss] of refused) {
      const all = sum([losses['style by elements'](extractor, size), loss]);
      const room = roomForTiles(extractor, losses['style by elements'](extractor, size), size, 2);
      await expectNoLeak(() => {
        expect(() => createObjective(extractor, all, size, { room })).toThrow(
          expect.objectContaining({ code: 'NOT_TILEABLE', value: name }),
        );
      });
      expect(() => extractor.plan?.({ ...requestOf(all, size), room, tileable: false })).toThrow(
        expect.objectContaining({ code: 'NOT_TILEABLE' }),
      );
      // As a whole, it is served.
      createObjective(extractor, all, size).dispose();
    }
    extractor.dispose();
  });

  it('refuses what does not fit by tiles either, with a size that does', async () => {
    const extractor = await make();
    const loss = losses['style by elements'](extractor, [400, 300]);
    const room = 2 * (extractor.plan?.(requestOf(loss, [16, 16])).bytes ?? 0);
    const error = thrownBy(() => createObjective(extractor, loss, [40_000, 30_000], { room }));
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', option: 'size' });
    const [, width, height] = /about (\d+) x (\d+) pixels/.exec((error as Error).message) ?? [];
    const plan = extractor.plan?.({ ...requestOf(loss, [Number(height), Number(width)]), room });
    expect(plan?.bytes).toBeLessThanOrEqual(room);
    extractor.dispose();
  });

  it('refuses targets of another size, and images of another size', async () => {
    const [size, other] = [[120, 20] as const, [112, 20] as const];
    const extractor = await make();
    const wrong = expect.objectContaining({ code: 'WRONG_SHAPE' });
    for (const name of ['content, by feature maps', 'perceptual, of the image in place of its features']) {
      const loss = losses[name](extractor, other);
      const room = roomForTiles(extractor, loss, size, 2);
      await expectNoLeak(() => {
        expect(() => createObjective(extractor, loss, size, { room })).toThrow(wrong);
      });
    }
    const loss = losses['style by elements'](extractor, size);
    const objective = createObjective(extractor, loss, size, {
      room: roomForTiles(extractor, loss, size, 2),
    });
    const image = noise(...other);
    await expectNoLeak(() => {
      expect(() => objective.evaluate(image)).toThrow(wrong);
    });
    objective.dispose();
    extractor.dispose();
  });

  it('leaks nothing where a loss of the image fails, and nothing once all is disposed', async () => {
    const size = [120, 20] as const;
    const [image, before] = [noise(...size), tf.memory().numTensors];
    const extractor = await make();
    let fails = true;
    const own = defineLoss({
      name: 'mine',
      layers: ['image'],
      compute: (features) => {
        if (fails) throw new Error('mine');
        return tf.mean(features.image);
      },
    });
    const loss = sum([
      own,
      losses['style by elements'](extractor, size),
      losses['perceptual, of the image in place of its features'](extractor, size),
    ]);
    const objective = createObjective(extractor, loss, size, {
      room: roomForTiles(extractor, loss, size, 2),
    });
    await expectNoLeak(() => {
      expect(() => objective.evaluate(image)).toThrow('mine');
    });
    fails = false;
    await expectNoLeak(() => tf.dispose({ ...objective.evaluate(image) } as tf.TensorContainer));
    objective.dispose();
    objective.dispose();
    expect(() => objective.evaluate(image)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    loss.dispose?.();
    extractor.dispose();
    expect(tf.memory().numTensors).toBe(before);
    image.dispose();
  });
}

/** Expects the evaluation by few and by many tiles to be that of the whole image, within 1e-5. */
export async function expectTilesLikeWhole(
  extractor: EngineExtractor,
  loss: Loss,
  size: Size,
  tiles: readonly number[] = [2, 4],
): Promise<void> {
  const image = noise(...size, 9);
  const objective = createObjective(extractor, loss, size);
  const whole = objective.evaluate(image);
  objective.dispose();
  for (const count of tiles) {
    const room = roomForTiles(extractor, loss, size, count);
    const tiled = await expectNoLeak(async () => {
      const byTiles = createObjective(extractor, loss, size, { room });
      const evaluation = await expectNoLeak(() => byTiles.evaluate(image));
      byTiles.dispose();
      return evaluation;
    });
    expect(tiled.value).toBeAllclose(whole.value, { rtol: 1e-5 });
    expect(Object.keys(tiled.terms)).toEqual(Object.keys(whole.terms));
    for (const [name, value] of Object.entries(whole.terms))
      expect(tiled.terms[name]).toBeAllclose(value, { rtol: 1e-5 });
    expectClose(tiled.gradient, whole.gradient);
    free(tiled);
  }
  free(whole);
  image.dispose();
}

/** The most room in which a run is planned with so many tiles or more. */
export function roomForTiles(extractor: EngineExtractor, loss: Loss, size: Size, tiles: number): number {
  const request = requestOf(loss, size);
  const tilesIn = (room: number): number => {
    try {
      return extractor.plan?.({ ...request, room }).tiles ?? 0;
    } catch (error) {
      expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
      return Number.POSITIVE_INFINITY;
    }
  };
  let [least, most] = [0, extractor.plan?.(request).bytes ?? 0];
  while (most - least > 1) {
    const room = Math.floor((least + most) / 2);
    if (tilesIn(room) >= tiles) least = room;
    else most = room;
  }
  if (tilesIn(least) === Number.POSITIVE_INFINITY) throw new Error(`no plan has ${tiles} tiles`);
  return least;
}

/** The memory of a loss, as `styleTransfer` asks for it. */
export function requestOf(loss: Loss, size: Size): MemoryRequest {
  const terms = leaves(loss).flatMap((leaf) => leaf.loss.terms ?? []);
  const layersOf = (kind: string): LayerName[] =>
    terms.filter((term) => term.kind === kind && term.layer !== 'image').map(({ layer }) => layer);
  const grams = layersOf('gram');
  return {
    layers: loss.layers,
    size,
    featureTargets: layersOf('feature'),
    ...(grams.length > 0 && { style: { layers: grams, size: [16, 16] } }),
    tileable: untileable(loss) === undefined,
  };
}

/** |found - expected| <= 1e-5 max |expected|. */
function expectClose(found: tf.Tensor, expected: tf.Tensor): void {
  const largest = Math.max(...expected.dataSync().map(Math.abs));
  expect(found).toBeAllclose(expected, { rtol: 0, atol: 1e-5 * largest });
}

const free = (evaluation: Evaluation): void => tf.dispose({ ...evaluation } as tf.TensorContainer);

/** A loss made from an image's features; both are freed. */
function lossOfFeatures(
  extractor: EngineExtractor,
  image: tf.Tensor3D,
  layers: readonly LayerName[],
  make: (target: Features) => Loss,
): Loss {
  const target = extractor.extract(image, layers);
  const loss = make(target);
  tf.dispose([target, image] as tf.TensorContainer);
  return loss;
}

function ofImage(extractor: EngineExtractor, [h, w]: Size, how: Parameters<typeof lossOfImage>[2]): Loss {
  const content = noise(h, w, 1);
  const loss = lossOfImage(extractor, content, how);
  content.dispose();
  return loss;
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
