import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../../allocation';
import type { Features, Linearization } from '../../features/extractor';
import type { LayerName } from '../../features/layer-name';
import type { LoadedNetwork } from '../../features/network';
import type { Image } from '../../image/image';
import { gramNormalizationOption } from '../../losses/gram-matrix';
import { requireName } from '../../options/validate';
import { Lifetime, owning } from '../../owning';
import type { EngineExtractor, EngineLoadOptions, GramMatrices, GramMatricesOptions } from '../engine';
import { checkRequest } from '../shared/check-request';
import { requireOps } from '../shared/require-ops';
import { withBlocks } from './blocks';
import { fusedObjective } from './losses/fused-objective';
import { gramMatrices, gramRows } from './losses/gram-matrices';
import { planRun } from './losses/plan-run';
import { addCotangent, requireCotangent, tensorOf } from './network/feature-tensors';
import { Network } from './network/network';
import { Pass } from './network/pass';
import { layerShape } from './network/pass-plan';
import type { WasmEngineOptions } from './options';
import { roomIn } from './require-room';
import { KernelRunner } from './runtime/kernel-runner';
import { finish, finishInTurns, type Steps } from './steps';
import { wasmProblem } from './vectors/wasm-problem';

/** Options of {@link createWasmExtractor}. */
export interface WasmExtractorOptions extends LoadedNetwork, WasmEngineOptions {}

/**
 * An extractor on this library's SIMD kernels: several times faster than tfjs-wasm, with the same results to float32
 * rounding. Features are tensors of the active tfjs backend, and so are cotangents; losses with terms are evaluated
 * without either (`objective`).
 */
export async function createWasmExtractor(
  options: WasmExtractorOptions,
  { signal, onWarning }: EngineLoadOptions = {},
): Promise<EngineExtractor> {
  checkAllocations();
  const { weightsName, embedded, threads, relaxedSimd } = options;
  const { name, steps } = options.network;
  requireOps('wasm', ['conv', 'relu', 'maxPool', 'averagePool'], steps);
  const engine = await KernelRunner.create({ threads, relaxedSimd, signal, onWarning });
  const network = owning(({ result }) => {
    result(engine);
    return new Network(engine, options.network, options.weights);
  });
  let vectors: Promise<KernelRunner> | undefined;
  /** An engine for optimisers' vectors, started when first needed. */
  const forVectors = async (): Promise<KernelRunner> => {
    network.requireAlive();
    // Where threads have not started, no second attempt and no second warning.
    vectors ??= KernelRunner.create({
      threads: threads ?? (engine.threads === 1 ? 1 : undefined),
      relaxedSimd,
      onWarning,
    });
    const starting = vectors;
    try {
      const started = await starting;
      // The extractor may have been disposed meanwhile; its dispose() then ends this engine too.
      network.requireAlive();
      return started;
    } catch (error) {
      // A failed start is not kept: the next run tries again.
      if (vectors === starting) vectors = undefined;
      throw error;
    }
  };
  const layers: readonly LayerName[] = ['image', ...steps.map((step) => step.name)];

  /**
   * Computes the network and passes each layer to `take` as a tensor, which then belongs to `take`.
   * @returns the pass, which belongs to the caller
   */
  function forward(
    image: Image,
    wanted: readonly LayerName[],
    backward: 'never' | 'often',
    take: (layer: LayerName, feature: tf.Tensor4D) => void,
  ): Pass {
    network.requireAlive();
    checkRequest(image, wanted, layers, steps);
    const [height, width] = image.shape;
    return owning(({ result }) => {
      const pass = result(new Pass(network, height, width, { layers: wanted, backward }));
      if (wanted.includes('image')) take('image', tf.expandDims(image, 0));
      pass.forward(image.dataSync<'float32'>(), (layer, map) => take(layer, tensorOf(engine, map)));
      return pass;
    });
  }

  function features(image: Image, wanted: readonly LayerName[], backward: 'never' | 'often') {
    return owning(({ result }) => {
      const found: Partial<Record<LayerName, tf.Tensor4D>> = {};
      const pass = forward(image, wanted, backward, (layer, feature) => {
        found[layer] = result(feature);
      });
      return { pass, features: found as Features };
    });
  }

  function gramSteps(
    image: Image,
    wanted: readonly LayerName[],
    { normalization = 'elements', room, mask }: GramMatricesOptions = {},
  ): Steps<ReadonlyMap<LayerName, Float32Array>> {
    network.requireAlive();
    checkRequest(image, wanted, layers, steps);
    for (const layer of wanted) requireName('layer', layer, layers.slice(1));
    gramNormalizationOption.require('normalization', normalization);
    const [height, width] = image.shape;
    const size = [height, width] as const;
    const { rows } = gramRows(network, size, wanted, roomIn(engine.memory, room), mask !== undefined);
    const values = image.dataSync<'float32'>();
    return gramMatrices(network, values, size, wanted, { normalization, rows, mask });
  }

  function gramTensors(grams: ReadonlyMap<LayerName, Float32Array>): GramMatrices {
    return owning(({ result }) => {
      const tensors: Partial<Record<LayerName, tf.Tensor2D>> = {};
      for (const [layer, values] of grams) {
        const n = Math.sqrt(values.length);
        tensors[layer] = result(tf.tensor2d(values, [n, n]));
      }
      return tensors;
    });
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
    gramMatrices: (image, wanted, options) => gramTensors(finish(gramSteps(image, wanted, options))),
    async gramMatricesInTurns(image, wanted, { signal, ...options } = {}) {
      return gramTensors(await finishInTurns(gramSteps(image, wanted, options), signal));
    },
    plan(request) {
      network.requireAlive();
      return planRun(network, request);
    },
    vectorRoom: engine.memory.most,
    linearize(image, wanted): Linearization {
      const { pass, features: found } = features(image, wanted, 'often');
      const lifetime = new Lifetime('The linearization');
      const [height, width] = image.shape;
      const shapeOf = (layer: LayerName) => layerShape(network, [height, width], layer);
      return {
        features: found,
        pullback(cotangents) {
          lifetime.requireAlive();
          network.requireAlive();
          const given = (Object.keys(cotangents) as LayerName[]).filter((layer) => cotangents[layer]);
          for (const layer of given) {
            requireName('cotangents', layer, [...wanted, 'image']);
            requireCotangent(layer, cotangents[layer], shapeOf(layer));
          }
          return withBlocks(engine.memory, (blocks) => {
            const gradient = blocks.allocateFloats(height * width * 3);
            pass.backward(
              layers.filter((layer) => layer !== 'image' && given.includes(layer)),
              (layer, map, to) => {
                const cotangent = cotangents[layer] as tf.Tensor4D;
                addCotangent(engine, cotangent.dataSync<'float32'>(), map, to, 1);
              },
              gradient,
            );
            const values = engine.memory.floats(gradient, height * width * 3).slice();
            return tf.tidy(() => {
              const network = tf.tensor3d(values, [height, width, 3]);
              return cotangents.image
                ? tf.add(network, tf.reshape(cotangents.image, network.shape))
                : network;
            }) as Image;
          });
        },
        dispose() {
          if (!lifetime.end()) return;
          pass.dispose();
          tf.dispose(found as tf.TensorContainer);
        },
      };
    },
    objective(loss, size, options) {
      const objective = fusedObjective(network, loss, size, options);
      return {
        ...objective,
        problem() {
          // A copy with another `evaluate` is a different function.
          if (this.evaluate !== objective.evaluate) return undefined;
          return forVectors().then((vectors) => wasmProblem(vectors, objective, size));
        },
      };
    },
    dispose() {
      network.dispose();
      engine.dispose();
      vectors?.then(
        (started) => started.dispose(),
        () => undefined,
      );
      vectors = undefined;
    },
  };
}
