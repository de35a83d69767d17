import * as tf from '@tensorflow/tfjs-core';
import { checkRequest } from '../features/check-request';
import type { FeatureExtractor, Features, Linearization } from '../features/extractor';
import type { LayerName } from '../features/layers';
import type { TfjsExtractorOptions } from '../features/tfjs-extractor';
import type { Image } from '../image/image';
import { addCotangent, tensorOf } from './exchange';
import { fusedObjective } from './fused-objective';
import { KernelEngine } from './kernel-engine';
import { Network } from './network';
import { Pass } from './pass';

/** What {@link createWasmExtractor} computes. */
export type WasmExtractorOptions = Omit<TfjsExtractorOptions, 'inputGradient'> & {
  /** @default the processor's, at most 8; one where threads cannot share memory */
  readonly threads?: number | undefined;
};

/**
 * VGG-19 by our own SIMD kernels: several times faster than tfjs-wasm, with the same results to float32 rounding. Features go to the
 * active tfjs backend and cotangents come from there; losses that the library knows are evaluated without either (`objective`).
 */
export async function createWasmExtractor(options: WasmExtractorOptions): Promise<FeatureExtractor> {
  const { name, weightsName, embedded, steps, weights, convention, pooling = 'max' } = options;
  const engine = await KernelEngine.create(options.threads);
  const network = new Network(engine, steps, weights, convention, pooling);
  const layers: readonly LayerName[] = ['image', ...steps.map((step) => step.name)];

  function start(image: Image, wanted: readonly LayerName[], backward: 'never' | 'often') {
    checkRequest(image, wanted, layers, steps);
    const [height, width] = image.shape;
    const ofNetwork = wanted.filter((layer) => layer !== 'image');
    const pass = new Pass(network, height, width, { layers: ofNetwork, backward });
    const features: Record<string, tf.Tensor4D> = {};
    if (wanted.includes('image')) features.image = tf.expandDims(image, 0);
    pass.forward(image.dataSync<'float32'>(), (layer, map) => {
      features[layer] = tensorOf(engine, map);
    });
    return { pass, features: features as Features };
  }

  return {
    name,
    engine: 'wasm',
    weights: weightsName,
    embedded,
    layers,
    extract(image, wanted) {
      const { pass, features } = start(image, wanted, 'never');
      pass.dispose();
      return features;
    },
    linearize(image, wanted): Linearization {
      const { pass, features } = start(image, wanted, 'often');
      const [height, width] = image.shape;
      return {
        features,
        pullback(cotangents) {
          const given = layers.filter((layer) => cotangents[layer] && layer !== 'image');
          const gradient = engine.memory.allocateFloats(height * width * 3);
          pass.backward(
            given,
            (layer, map, to) => addCotangent(engine, cotangents[layer] as tf.Tensor4D, map, to, 1),
            gradient,
          );
          const result = tf.tidy(() => {
            const network = tf.tensor3d(engine.memory.floats(gradient, height * width * 3).slice(), [
              height,
              width,
              3,
            ]);
            return cotangents.image ? tf.add(network, tf.reshape(cotangents.image, network.shape)) : network;
          }) as Image;
          engine.memory.release(gradient);
          return result;
        },
        dispose() {
          pass.dispose();
          tf.dispose(features as tf.TensorContainer);
        },
      };
    },
    objective: (loss, [height, width]) => fusedObjective(network, loss, height, width),
    dispose() {
      network.dispose();
      engine.dispose();
    },
  };
}
