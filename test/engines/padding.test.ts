import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadVgg19 } from '../../src/engines';
import type { EngineExtractor } from '../../src/engines/engine';
import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import { createConvolution } from '../../src/engines/tfjs/tfjs-steps';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import type { ConvStep, LoadedNetwork } from '../../src/features/network';
import { type Padding, paddings } from '../../src/features/padding';
import { styleLoss } from '../../src/losses';
import { createObjective } from '../../src/objective';
import { minimize } from '../../src/optim';
import reference from '../reference/padding.json' with { type: 'json' };
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

const { mean, std } = reference;
const [height, width, channels] = reference.shape;
type Three = [number, number, number];

const first = (padding: Padding): ConvStep => ({
  op: 'conv',
  name: 'conv1_1',
  channelsIn: 3,
  channelsOut: channels,
  kernel: 'kernel',
  bias: 'bias',
  padding,
});

const weights = new Map([
  ['kernel', { shape: [3, 3, 3, channels], values: Float32Array.from(reference.kernel) }],
  ['bias', { shape: [channels], values: Float32Array.from(reference.bias) }],
]);

const network = (padding: Padding): LoadedNetwork => ({
  network: {
    name: 'one convolution',
    input: { scale: std.map((s) => 1 / s) as Three, offset: std.map((s, i) => -mean[i] / s) as Three },
    steps: [first(padding), { op: 'relu', name: 'relu1_1' }],
  },
  weights,
  weightsName: 'reference',
});

const engines: Readonly<Record<string, (padding: Padding) => Promise<EngineExtractor> | EngineExtractor>> = {
  tfjs: (padding) => createTfjsExtractor(network(padding)),
  wasm: (padding) => createWasmExtractor({ ...network(padding), threads: 2 }),
};

onEachBackend((backend) => {
  describe.each(Object.keys(engines))('the first convolution on engine %s', (engine) => {
    it.each(paddings)('has the features and the gradient of PyTorch with padding %s', async (padding) => {
      const extractor = await engines[engine](padding);
      const { features, gradient } = reference.paddings[padding];
      const linearization = extractor.linearize(tf.tensor3d(reference.image, [height, width, 3]), [
        'conv1_1',
      ]);
      const shape: [number, number, number, number] = [1, height, width, channels];
      expect(linearization.features.conv1_1).toBeAllclose(tf.tensor4d(features, shape), { atol: 1e-5 });
      const found = linearization.pullback({ conv1_1: tf.tensor4d(reference.cotangent, shape) });
      expect(found).toBeAllclose(tf.tensor3d(gradient, [height, width, 3]), { atol: 1e-5 });
      linearization.dispose();
      extractor.dispose();
    });
  });

  it.each(['replicate', 'reflect'] as const)(
    'has the same gradient by flipped filters and by the backend with padding %s',
    (padding) => {
      const gradient = tf.randomNormal<tf.Rank.R4>([1, 5, 6, channels], 0, 1, 'float32', 1);
      const [flipped, own] = (['flipped', 'kernel'] as const).map((how) =>
        createConvolution(first(padding), weights, how).inputGradient(gradient, [1, 5, 6, 3]),
      );
      expect(flipped).toBeAllclose(own, { atol: 1e-5 });
    },
  );

  if (backend === 'wasm')
    it('lets the border of a texture have the colours of its inside, which zeros keep it from', async () => {
      // Zeros beyond the border are grey to the network, and a light frame makes up for them.
      expect(await borderDistance('zero')).toBeGreaterThan(0.15);
      expect(await borderDistance('replicate')).toBeLessThan(0.04);
      expect(await borderDistance('reflect')).toBeLessThan(0.04);
    });
});

/**
 * Synthesises a texture from noise by the first convolution of VGG-19's embedded stand-in.
 *
 * @returns largest difference of a channel's mean or standard deviation between a border of three pixels and the inside
 */
async function borderDistance(padding: Padding): Promise<number> {
  const [side, border] = [40, 3];
  const extractor = await loadVgg19({ weights: 'embedded', engine: 'wasm', padding, lastLayer: 'relu1_1' });
  const loss = styleLoss(extractor.extract(weave(96), ['conv1_1', 'relu1_1']));
  const objective = createObjective(extractor, loss, [side, side]);
  const start = tf.randomUniform<tf.Rank.R3>([side, side, 3], 0.4, 0.6, 'float32', 5);
  const { x } = await minimize(objective, start, { maxIterations: 60, bounds: [0, 1] });
  const distance = tf.tidy(() => {
    const part = (y: number, h: number, left: number, w: number) =>
      tf.reshape(tf.slice(x, [y, left, 0], [h, w, 3]), [-1, 3]);
    const frame = [
      part(0, border, 0, side),
      part(side - border, border, 0, side),
      part(border, side - 2 * border, 0, border),
      part(border, side - 2 * border, side - border, border),
    ];
    const inner = side - 4 * border;
    const [outside, inside] = [tf.concat(frame), part(2 * border, inner, 2 * border, inner)].map((pixels) => {
      const { mean, variance } = tf.moments(pixels, 0);
      return tf.concat([mean, tf.sqrt(variance)]);
    });
    return tf.max(tf.abs(tf.sub(outside, inside))).dataSync()[0];
  });
  objective.dispose();
  loss.dispose?.();
  extractor.dispose();
  return distance;
}

/** A light yellow weave. */
function weave(side: number): tf.Tensor3D {
  const values = Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const height = 0.5 + 0.5 * Math.sin(0.9 * x) * Math.sin(1.1 * y + 0.2 * x);
    return [0.85 + 0.14 * height, 0.6 + 0.25 * height, 0.05 + 0.15 * height];
  });
  return tf.tensor3d(values.flat(), [side, side, 3]);
}
