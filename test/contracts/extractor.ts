import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { FeatureExtractor, Features } from '../../src/features/extractor';
import type { LayerName } from '../../src/features/layer-name';
import type { Image } from '../../src/image/image';
import { expectNoLeak } from '../../src/testing';
import { noise } from '../support/images';
import { numbersOf } from '../support/to-be-allclose';

/**
 * The contract of extractors: features of the right shapes, the same by `extract` and `linearize`; a pullback that is
 * the derivative of the features along any direction; no leak; clear refusals.
 */
export function extractorContract(
  make: () => Promise<FeatureExtractor> | FeatureExtractor,
  layers: readonly LayerName[],
): void {
  const size = { height: 37, width: 22 };

  it('gives each layer that is asked for, by extract and linearize alike', async () => {
    const extractor = await make();
    const image = noise(size.height, size.width);
    const features = await expectNoLeak(() => extractor.extract(image, layers));
    const linearization = extractor.linearize(image, layers);
    expect(Object.keys(features).sort()).toEqual([...layers].sort());
    for (const layer of layers) {
      const feature = features[layer] as tf.Tensor4D;
      expect(feature.shape[0]).toBe(1);
      const linearized = linearization.features[layer] as tf.Tensor4D;
      expect(await numbersOf(linearized)).toBeAllclose(await numbersOf(feature), { rtol: 1e-4, atol: 1e-5 });
    }
    if (features.image) expect(await numbersOf(features.image)).toBeAllclose(await numbersOf(image));
    linearization.dispose();
    linearization.dispose();
    tf.dispose(features as tf.TensorContainer);
    extractor.dispose();
  });

  it('gives the same layers one at a time, if it has extractEach, and frees each', async () => {
    const extractor = await make();
    const image = noise(size.height, size.width);
    const features = extractor.extract(image, layers);
    const seen: LayerName[] = [];
    const read: (readonly [found: Promise<number[]>, expected: tf.Tensor])[] = [];
    await expectNoLeak(() =>
      extractor.extractEach?.(image, layers, (layer, feature) => {
        read.push([numbersOf(feature), features[layer] as tf.Tensor4D]);
        seen.push(layer);
      }),
    );
    for (const [found, expected] of read) expect(await found).toBeAllclose(await numbersOf(expected));
    if (extractor.extractEach) expect(seen.sort()).toEqual([...layers].sort());
    tf.dispose(features as tf.TensorContainer);
    extractor.dispose();
  });

  it('pulls cotangents back to the derivative that central differences find', async () => {
    const extractor = await make();
    const image = noise(size.height, size.width, 5);
    for (const wanted of [layers, ...layers.map((layer) => [layer])]) {
      const linearization = extractor.linearize(image, wanted);
      const cotangents = Object.fromEntries(
        wanted.map((layer, i) => {
          const { shape } = linearization.features[layer] as tf.Tensor4D;
          return [layer, tf.randomNormal(shape, 0, 1, 'float32', 20 + i)];
        }),
      ) as Features;
      const gradient = linearization.pullback(cotangents);
      const length = Math.sqrt(await inner(gradient, gradient));
      // All layers at once along several directions, each alone along one.
      for (const seed of wanted === layers ? [7, 8, 9] : [7]) {
        const direction = tf.randomNormal(image.shape, 0, 1, 'float32', seed);
        const analytic = await inner(gradient, direction);
        let error = Number.POSITIVE_INFINITY;
        // Small steps, because larger ones cross the kinks of ReLU and maximum.
        for (const step of [1e-4, 3e-5, 1e-3, 1e-5]) {
          const at = (sign: number) => {
            const moved = tf.tidy(() => tf.add(image, tf.mul(direction, sign * step)) as Image);
            return project(extractor, moved, cotangents, wanted);
          };
          error = Math.min(
            error,
            Math.abs(((await at(1)) - (await at(-1))) / (2 * step) - analytic) / length,
          );
          if (error < 0.02) break;
        }
        expect(error, wanted.join()).toBeLessThan(0.02);
        direction.dispose();
      }
      tf.dispose([gradient, cotangents as tf.TensorContainer]);
      linearization.dispose();
    }
    extractor.dispose();
  });

  it('needs no cotangent for a layer, and gives zeros for none', async () => {
    const extractor = await make();
    const image = noise(size.height, size.width, 3);
    const linearization = extractor.linearize(image, layers);
    const zeros = new Array(image.size).fill(0);
    expect(await numbersOf(linearization.pullback({}))).toBeAllclose(zeros);
    linearization.dispose();
    extractor.dispose();
  });

  it('leaves no tensor behind, whether it works or refuses', async () => {
    const before = tf.memory().numTensors;
    const extractor = await make();
    const image = noise(size.height, size.width);
    const linearization = extractor.linearize(image, layers);
    const cotangents = Object.fromEntries(
      Object.entries(linearization.features).map(([layer, feature]) => [
        layer,
        tf.onesLike(feature as tf.Tensor4D),
      ]),
    );
    linearization.pullback(cotangents as Features).dispose();
    tf.dispose(cotangents);
    linearization.dispose();
    expect(() =>
      extractor.extract(
        tf.tidy(() => tf.slice(image, [0, 0, 0], [1, 1, 3])),
        layers,
      ),
    ).toThrow();
    extractor.dispose();
    extractor.dispose();
    image.dispose();
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(1); // the slice that was refused is the test's own
  });

  it('refuses use after its end, and that of its linearizations', async () => {
    const extractor = await make();
    const image = noise(size.height, size.width);
    const disposed = expect.objectContaining({ code: 'DISPOSED' });
    const ended = extractor.linearize(image, layers);
    const alive = extractor.linearize(image, layers);
    ended.dispose();
    expect(() => ended.pullback({})).toThrow(disposed);
    extractor.dispose();
    expect(() => alive.pullback({})).toThrow(disposed);
    alive.dispose();
    expect(() => extractor.extract(image, layers)).toThrow(disposed);
    expect(() => extractor.linearize(image, layers)).toThrow(disposed);
    if (extractor.extractEach)
      expect(() => extractor.extractEach?.(image, layers, () => {})).toThrow(disposed);
    extractor.dispose();
  });

  it('refuses cotangents of another shape, or of layers that were not asked for', async () => {
    const extractor = await make();
    const linearization = extractor.linearize(noise(size.height, size.width), ['conv1_2']);
    expect(() => linearization.pullback({ conv1_2: tf.ones([1, 2, 2, 3]) })).toThrow(
      expect.objectContaining({ code: 'WRONG_SHAPE' }),
    );
    expect(() => linearization.pullback({ conv1_1: tf.ones([1, 2, 2, 3]) })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_NAME' }),
    );
    linearization.dispose();
    extractor.dispose();
  });

  it('refuses a layer that it does not have, and what is no image', async () => {
    const extractor = await make();
    const image = noise(8, 8);
    expect(() => extractor.extract(image, ['conv1_3' as never])).toThrow(
      /layer is 'conv1_3'; did you mean 'conv1_[12]'/,
    );
    expect(() => extractor.extract(tf.ones([8, 8, 1]) as never, ['conv1_1'])).toThrow(
      /image is a tensor \[8,8,1\]/,
    );
    extractor.dispose();
  });
}

async function project(
  extractor: FeatureExtractor,
  image: Image,
  cotangents: Features,
  layers: readonly LayerName[],
): Promise<number> {
  const features = extractor.extract(image, layers);
  let value = 0;
  for (const layer of layers)
    value += await inner(features[layer] as tf.Tensor, cotangents[layer] as tf.Tensor);
  tf.dispose([image, features as tf.TensorContainer]);
  return value;
}

/** In double precision. */
async function inner(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const [values, others] = [await a.data<'float32'>(), await b.data<'float32'>()];
  return values.reduce((sum, v, i) => sum + v * others[i], 0);
}
