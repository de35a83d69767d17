import * as tf from '@tensorflow/tfjs-core';
import type { Features, Linearization } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { LoadedNetwork } from '../../features/network';
import type { Image } from '../../image/image';
import type { EngineExtractor } from '../engine';
import { checkRequest } from '../shared/check-request';
import { fusedObjective, requireRoomFor } from './losses/fused-objective';
import { addCotangent, tensorOf } from './network/feature-tensors';
import { Network } from './network/network';
import { Pass } from './network/pass';
import type { WasmEngineOptions } from './options';
import { KernelRunner } from './runtime/kernel-runner';
import { wasmProblem } from './vectors/wasm-problem';

/** What {@link createWasmExtractor} computes, and on what. */
export interface WasmExtractorOptions extends LoadedNetwork, WasmEngineOptions {}

/**
 * VGG-19 by our own SIMD kernels: several times faster than tfjs-wasm, with the same results to float32 rounding. Features go to the
 * active tfjs backend and cotangents come from there; losses that the library knows are evaluated without either (`objective`).
 */
export async function createWasmExtractor(options: WasmExtractorOptions): Promise<EngineExtractor> {
  const { weightsName, embedded } = options;
  const { name, steps } = options.network;
  const engine = await KernelRunner.create(options.threads, options.relaxedSimd);
  const network = new Network(engine, options.network, options.weights);
  let vectors: Promise<KernelRunner> | undefined;
  /** An engine for optimisers' vectors, once there is a use for it. */
  const forVectors = (): Promise<KernelRunner> => {
    vectors ??= KernelRunner.create(options.threads, options.relaxedSimd);
    return vectors;
  };
  const layers: readonly LayerName[] = ['image', ...steps.map((step) => step.name)];

  /** Computes the network and hands out each layer as a tensor, which then belongs to `take`. */
  function forward(
    image: Image,
    wanted: readonly LayerName[],
    backward: 'never' | 'often',
    take: (layer: LayerName, feature: tf.Tensor4D) => void,
  ): Pass {
    checkRequest(image, wanted, layers, steps);
    const [height, width] = image.shape;
    const pass = new Pass(network, height, width, { layers: wanted, backward });
    if (wanted.includes('image')) take('image', tf.expandDims(image, 0));
    try {
      pass.forward(image.dataSync<'float32'>(), (layer, map) => take(layer, tensorOf(engine, map)));
      return pass;
    } catch (error) {
      pass.dispose();
      throw error;
    }
  }

  function features(image: Image, wanted: readonly LayerName[], backward: 'never' | 'often') {
    const found: Partial<Record<LayerName, tf.Tensor4D>> = {};
    const pass = forward(image, wanted, backward, (layer, feature) => {
      found[layer] = feature;
    });
    return { pass, features: found as Features };
  }

  return {
    name,
    engine: 'wasm',
    threads: engine.threads,
    weights: weightsName,
    embedded,
    layers,
    extract(image, wanted) {
      const { pass, features: found } = features(image, wanted, 'never');
      pass.dispose();
      return found;
    },
    extractEach(image, wanted, take) {
      const pass = forward(image, wanted, 'never', (layer, feature) => {
        try {
          take(layer, feature);
        } finally {
          feature.dispose();
        }
      });
      pass.dispose();
    },
    requireRoom(wanted, size, targets = []) {
      const all = [...wanted, ...targets];
      const patches = !all.includes('relu1_1') && !targets.includes('conv1_1');
      requireRoomFor(network, size, { layers: all, backward: 'once', patches }, targets);
    },
    linearize(image, wanted): Linearization {
      const { pass, features: found } = features(image, wanted, 'often');
      const [height, width] = image.shape;
      return {
        features: found,
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
          tf.dispose(found as tf.TensorContainer);
        },
      };
    },
    objective(loss, size) {
      const objective = fusedObjective(network, loss, ...size);
      return {
        ...objective,
        problem() {
          if (this.evaluate !== objective.evaluate) return undefined;
          return forVectors().then((vectors) => wasmProblem(vectors, objective, size));
        },
      };
    },
    dispose() {
      network.dispose();
      engine.dispose();
      void vectors?.then((started) => started.dispose());
      vectors = undefined;
    },
  };
}
