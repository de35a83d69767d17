import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { EngineExtractor } from '../../src/engines/engine';
import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import type { LayerName } from '../../src/features/layer-name';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import {
  contentLoss,
  gramMatrix,
  type Loss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
  within,
} from '../../src/losses';
import { guidedGramMatrix } from '../../src/losses/gram-matrix';
import { maskLoss } from '../../src/losses/mask-loss';
import { positionWeights } from '../../src/losses/pooled-mask';
import { createObjective, type Evaluation } from '../../src/objective';
import { checkGradient, expectNoLeak } from '../../src/testing';
import { roomForTiles } from '../contracts/tiles';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';
import { randomWeights } from './wasm/random-weights';

type Size = readonly [height: number, width: number];

const network = loadedVgg19(randomWeights('conv3_1'), {
  lastLayer: 'conv3_1',
  convention: 'caffe',
  // Central differences say nothing at the kinks of a maximum.
  pooling: 'average',
  weightsName: 'random',
});

const engines = {
  tfjs: async () => createTfjsExtractor(network),
  wasm: () => createWasmExtractor({ ...network, threads: 2 }),
} as const;

const styleLayers: readonly LayerName[] = ['conv1_1', 'relu1_2', 'pool1', 'conv2_2', 'relu2_2', 'conv3_1'];
const contentLayers: readonly LayerName[] = ['relu1_1', 'conv2_2', 'conv3_1'];

/** Every loss that engines compute by masks, of layers before and behind ReLUs and poolings. */
function someLosses(extractor: EngineExtractor, [h, w]: Size, firstStored = true): Loss {
  const [content, style] = [noise(h, w, 1), noise(25, 31, 2)];
  const target = extractor.extract(content, firstStored ? contentLayers : contentLayers.slice(1));
  const features = extractor.extract(style, firstStored ? styleLayers : ['conv1_1', 'conv3_1']);
  const loss = sum([
    weighted(2, contentLoss(target)),
    contentLoss(target, { distance: 'l1' }),
    weighted(30, styleLoss(features)),
    styleLoss(features, { distance: 'l1', normalization: 'positions' }),
    pixelLoss(content),
    totalVariationLoss(),
  ]);
  tf.dispose([target, features, content, style] as tf.TensorContainer);
  return loss;
}

const softMask = ([h, w]: Size, seed: number): tf.Tensor2D => tf.randomUniform([h, w], 0, 1, 'float32', seed);

/** 1 in the left part of an image, with a soft border; many weights are 0 or 1. */
const leftMask = ([h, w]: Size): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: h * w }, (_, i) => Math.min(1, Math.max(0, (w / 2 - (i % w)) / 3))),
    [h, w],
  );

async function evaluated(
  extractor: EngineExtractor,
  loss: Loss,
  size: Size,
  room?: number,
): Promise<Evaluation> {
  const objective = createObjective(extractor, loss, size, { room });
  const image = noise(...size, 9);
  const found = await expectNoLeak(() => objective.evaluate(image));
  objective.dispose();
  return found;
}

onEachBackend((backend) => {
  // Kernels do not depend on the backend, and VGG-19 by the loops of the cpu backend takes minutes.
  const name = backend === 'cpu' ? 'wasm' : 'tfjs';
  // What the wasm engine plans for a mask at three sizes of layers; with it, the same tiles fit.
  const maskBytes = ([h, w]: Size) =>
    name === 'tfjs' ? 0 : [0, 1, 2].reduce((sum, k) => sum + 4 * ((h >> k) * (w >> k) + 4), 0);

  describe(`masks on engine ${name}`, () => {
    it.each([
      [[70, 33], 1, true],
      [[70, 33], 2, false],
      [[131, 23], 4, true],
    ] as const)('of ones equal no mask to the bit, at %s pixels in %d tiles', async (size, tiles, stored) => {
      const extractor = await engines[name]();
      const make = () => someLosses(extractor, size, stored);
      const [plain, ones] = [make(), within(tf.ones<tf.Rank.R2>([...size]), make())];
      // Makes the filters of the backward pass, which the plans of later objectives then do not count.
      tf.dispose({ ...(await evaluated(extractor, plain, size)) } as tf.TensorContainer);
      const room = tiles === 1 ? undefined : roomForTiles(extractor, plain, size, tiles);
      const [expected, found] = [
        await evaluated(extractor, plain, size, room),
        await evaluated(extractor, ones, size, room && room + maskBytes(size)),
      ];
      // The tfjs engine plans memory for masks, so that its tiles are others, and sums over them are to rounding.
      const sameTiles = name === 'wasm' || tiles === 1;
      const values = ({ gradient, terms }: typeof found) =>
        [gradient, ...Object.keys(expected.terms).map((term) => terms[term])].map((one) => one.dataSync());
      const [masked, unmasked] = [values(found), values(expected)];
      if (sameTiles) expect(masked).toEqual(unmasked);
      else
        for (const [i, numbers] of unmasked.entries()) {
          const atol = 1e-5 * Math.max(...numbers.map(Math.abs));
          expect(masked[i]).toBeAllclose(numbers, { rtol: 0, atol });
        }
      for (const loss of [plain, ones]) loss.dispose?.();
      extractor.dispose();
    });

    it('have the gradient that central differences find, soft and hard', async () => {
      const size = [13, 10] as const;
      const extractor = await engines[name]();
      const loss = sum([
        within(softMask(size, 3), someLosses(extractor, size)),
        within(leftMask(size), someLosses(extractor, size, false)),
      ]);
      const objective = createObjective(extractor, loss, size);
      await checkGradient(objective, noise(...size, 5), {
        steps: [1e-2, 3e-3, 1e-3, 3e-4],
        tolerance: 0.03,
      });
      objective.dispose();
      loss.dispose?.();
      extractor.dispose();
    });

    it('give Gram matrices of regions, whole and by tiles', async () => {
      const extractor = await engines[name]();
      const image = noise(70, 21, 6);
      for (const mask of [softMask([70, 21], 7), leftMask([70, 21])]) {
        const weights = tf.expandDims<tf.Tensor3D>(mask, 2);
        const features = extractor.extract(image, styleLayers);
        for (const room of [undefined, name === 'wasm' ? 6e6 : 1.5e6]) {
          const found = await expectNoLeak(
            () => extractor.gramMatrices?.(image, styleLayers, { mask: weights, room }) ?? {},
          );
          for (const layer of styleLayers) {
            const feature = features[layer] as tf.Tensor4D;
            const at = positionWeights({ weights, mean: 'weights' }, feature.shape[1], feature.shape[2]);
            const expected = guidedGramMatrix(feature, at, 'elements');
            const largest = Math.max(...expected.dataSync());
            expect(found[layer] as tf.Tensor, layer).toBeAllclose(expected, { atol: 1e-5 * largest });
          }
        }
      }
      extractor.dispose();
    });
  });

  if (backend !== 'wasm') return;
  it('masks give the same numbers on both engines', async () => {
    const size = [70, 33] as const;
    const [byTfjs, byWasm] = [await engines.tfjs(), await engines.wasm()];
    const make = (extractor: EngineExtractor) =>
      sum([
        within(softMask(size, 3), someLosses(extractor, size)),
        maskLoss(
          { weights: tf.mul(tf.expandDims<tf.Tensor3D>(leftMask(size), 2), 5), mean: 'positions' },
          someLosses(extractor, size, false),
        ),
        within(softMask(size, 4), within(leftMask(size), someLosses(extractor, size))),
      ]);
    const [losses, found] = [[make(byTfjs), make(byWasm)], [] as Evaluation[]];
    for (const [i, extractor] of [byTfjs, byWasm].entries())
      found.push(await evaluated(extractor, losses[i], size));
    for (const [term, value] of Object.entries(found[0].terms))
      expect(found[1].terms[term], term).toBeAllclose(value, { rtol: 1e-5 });
    const largest = Math.max(...found[0].gradient.dataSync().map(Math.abs));
    expect(found[1].gradient).toBeAllclose(found[0].gradient, { rtol: 0, atol: 5e-5 * largest });
    for (const { dispose } of [...losses, byTfjs, byWasm]) dispose?.();
  });

  it('the size of a region does not change its strength', () => {
    const feature = tf.tensor4d([1, 2, 1, 2, 1, 2, 1, 2], [1, 2, 2, 2]);
    const small = tf.tensor3d([0.25, 0, 0, 0], [2, 2, 1]);
    const whole = gramMatrix(feature);
    expect(
      guidedGramMatrix(feature, positionWeights({ weights: small, mean: 'weights' }, 2, 2), 'elements'),
    ).toBeAllclose(whole);
  });
});
