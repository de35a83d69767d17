import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import type { Features } from '../../../src/features/extractor';
import type { LayerName } from '../../../src/features/layer-name';
import type { LoadedNetwork, NamedTensor, NetworkStep } from '../../../src/features/network';
import { contentLoss, styleLoss, sum } from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { expectNear } from '../../support/expect-near';
import { noise } from '../../support/images';
import '../../support/to-be-allclose';

type Name = `toy:${string}`;

/** A convolution with weights of its own name. */
const conv = (name: Name, channelsIn: number, channelsOut: number): NetworkStep => ({
  op: 'conv',
  name,
  channelsIn,
  channelsOut,
  kernel: `${name}.weight`,
  bias: `${name}.bias`,
});
const relu = (name: Name): NetworkStep => ({ op: 'relu', name });

/** A network of these steps, with numbers of a linear congruential generator as weights. */
function toy(steps: readonly NetworkStep[]): LoadedNetwork {
  let state = 7;
  const numbers = (shape: readonly number[]): NamedTensor => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state / 2 ** 31 - 1) / 4;
    });
    return { shape, values };
  };
  const weights = new Map<string, NamedTensor>();
  for (const step of steps) {
    if (step.op !== 'conv') continue;
    weights.set(step.kernel, numbers([3, 3, step.channelsIn, step.channelsOut]));
    weights.set(step.bias, numbers([step.channelsOut]));
  }
  const input = { scale: [2, 3, 4], offset: [-1, -1.5, -2] } as const;
  return { network: { name: 'toy', input, steps }, weights, weightsName: 'made' };
}

describe('a network as data, with layers of any name', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('is computed as by tfjs: features, gradients, Gram matrices and losses', async () => {
    const network = toy([
      conv('toy:edges', 3, 8),
      relu('toy:edges+'),
      conv('toy:corners', 8, 16),
      relu('toy:corners+'),
      { op: 'averagePool', name: 'toy:half' },
      conv('toy:parts', 16, 8),
      relu('toy:parts+'),
      conv('toy:things', 8, 24),
      relu('toy:things+'),
      { op: 'maxPool', name: 'toy:quarter' },
    ]);
    const [own, reference] = [
      await createWasmExtractor({ ...network, threads: 2 }),
      createTfjsExtractor(network),
    ];
    expect(own.layers).toEqual(reference.layers);
    const layers: LayerName[] = ['toy:edges', 'toy:half', 'toy:parts', 'toy:things+', 'toy:quarter'];
    const [image, other] = [noise(21, 34, 1), noise(17, 30, 2)];
    const [found, expected] = [own.linearize(image, layers), reference.linearize(image, layers)];
    for (const layer of layers)
      expectNear(found.features[layer] as tf.Tensor, expected.features[layer] as tf.Tensor, 1e-5);
    expectNear(
      found.pullback(expected.features as Features),
      expected.pullback(expected.features as Features),
      1e-4,
    );
    const style = styleLoss(reference.extract(other, ['toy:edges', 'toy:parts']));
    const loss = sum([style, contentLoss(reference.extract(noise(21, 34, 3), ['toy:things+']))]);
    const [a, b] = [own, reference].map((extractor) =>
      createObjective(extractor, loss, [21, 34]).evaluate(image),
    );
    expect(a.value).toBeAllclose(b.value, { rtol: 1e-5 });
    expectNear(a.gradient, b.gradient, 1e-4);
    const grams = own.gramMatrices?.(other, ['toy:edges', 'toy:parts']);
    for (const term of style.terms ?? [])
      if (term.kind === 'gram') expectNear(grams?.[term.layer] as tf.Tensor, term.target, 1e-5);
    own.dispose();
    reference.dispose();
  });

  it.each<[string, readonly NetworkStep[], RegExp]>([
    ['nothing', [], /at image it takes only a network that begins with a convolution/],
    ['a ReLU at the start', [relu('toy:a')], /at toy:a it takes only a ReLU behind a convolution/],
    ['four channels of input', [conv('toy:a', 4, 8)], /toy:a it takes only 3 channels of input/],
    ['channels that do not fill a vector', [conv('toy:a', 3, 12)], /toy:a .* multiples of 8/],
    [
      'a convolution on one without a ReLU between',
      [conv('toy:a', 3, 8), conv('toy:b', 8, 8)],
      /toy:b it takes only a convolution behind a ReLU or a pooling/,
    ],
    [
      'a pooling of the first convolution',
      [conv('toy:a', 3, 8), relu('toy:b'), { op: 'maxPool', name: 'toy:c' }],
      /toy:c it takes only a pooling behind the ReLU of a second or later convolution/,
    ],
    [
      'channels that do not follow',
      [conv('toy:a', 3, 8), relu('toy:b'), conv('toy:c', 16, 8)],
      /toy:c it takes only 8 channels of input/,
    ],
  ])('that the kernels do not compute is refused: %s', async (_, steps, message) => {
    await expect(createWasmExtractor({ ...toy(steps), threads: 1 })).rejects.toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_NETWORK', message: expect.stringMatching(message) }),
    );
  });
});
