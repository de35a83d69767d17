import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../../../allocation';
import { noiseValues } from '../../../features/generator-noise';
import { generatorParameters, parameterVector, requireLength } from '../../../features/generator-parameters';
import { requireGeneratorSize, resolveSteps } from '../../../features/generator-steps';
import type { Normalization } from '../../../features/network';
import type { Image } from '../../../image/image';
import { inTurns } from '../../../image/in-turns';
import { requireImage } from '../../../image/require-image';
import { Lifetime, owning } from '../../../owning';
import { sizeOf } from '../../../weights/tensor-file';
import type { GeneratorProgram, GeneratorRunOptions, LoadedGenerator } from '../../engine';
import { requireShape } from '../../shared/require-shape';
import { KeptTensors } from './kept-tensors';
import type { Applied, Surroundings } from './operations';
import { backwardPass, forwardPass } from './passes';
import { requireRoom } from './require-room';

/**
 * A feed-forward network by tfjs operations, on whatever backend is active. Images are computed as a whole; on the
 * backend wasm, one whose maps do not fit into its 4 GiB is refused before any work.
 *
 * @throws WeightsError if the network's steps do not fit together, or a tensor is missing or has another shape
 */
export function createTfjsGenerator({ network, weights }: LoadedGenerator): GeneratorProgram {
  checkAllocations();
  const steps = resolveSteps(network);
  const parameters = generatorParameters(network);
  const lifetime = new Lifetime('The generator');
  let placed = place(parameterVector(network, weights));

  /** Puts all parameters on the backend. */
  function place(vector: Float32Array): ReadonlyMap<string, tf.Tensor> {
    return owning(({ result }) => {
      const tensors = parameters.map(({ name, shape, offset }) => {
        const values = vector.slice(offset, offset + sizeOf(shape));
        return [name, tf.keep(result(tf.tensor(values, [...shape])))] as const;
      });
      return new Map(tensors);
    });
  }

  function check(image: Image, signal: AbortSignal | undefined): void {
    lifetime.requireAlive();
    signal?.throwIfAborted();
    requireImage('image', image);
    requireGeneratorSize(steps, image.shape);
  }

  /** The image before it is clipped, [1, height, width, 3]. */
  async function forward(
    image: Image,
    { seed = 0, signal }: GeneratorRunOptions,
    kept: KeptTensors,
    tape?: Applied[],
  ): Promise<tf.Tensor4D> {
    const input = kept.make(() => normalized(tf.expandDims(image, 0) as tf.Tensor4D, network.input));
    // Clones, which share memory, so that parameters can be replaced or freed in a turn between two steps.
    const own = kept.make(() => Object.fromEntries([...placed].map(([name, one]) => [name, tf.clone(one)])));
    const surroundingsOf = (index: number): Surroundings => ({
      parameter: (name) => own[name],
      noise: (height, width, channels) =>
        tf.tensor4d(noiseValues(seed, index, height * width * channels), [1, height, width, channels]),
    });
    const last = await inTurns(forwardPass(steps, input, surroundingsOf, kept, tape), signal);
    return kept.make(() => normalized(last, network.output));
  }

  return {
    parameters,
    setParameters(values) {
      lifetime.requireAlive();
      requireLength(parameters, values);
      const before = placed;
      placed = place(values);
      tf.dispose([...before.values()]);
    },
    async run(image, options = {}) {
      check(image, options.signal);
      requireRoom(steps, image.shape);
      return owning(async ({ temporary }) => {
        const kept = temporary(new KeptTensors());
        const output = await forward(image, options, kept);
        return kept.release(kept.make(() => clipped(output)));
      });
    },
    async gradients(image, lossGradient, options = {}) {
      const { signal } = options;
      check(image, signal);
      return owning(async ({ temporary }) => {
        const kept = temporary(new KeptTensors());
        const tape: Applied[] = [];
        const output = await forward(image, options, kept, tape);
        const shown = kept.make(() => clipped(output));
        const ofImage = temporary(await lossGradient(shown));
        const gradient = kept.make(() => {
          requireShape(ofImage, 'The gradient of the loss', image.shape, 'lossGradient');
          // Clipping passes the gradient where it changes nothing.
          const inside = tf.cast(tf.equal(tf.expandDims(shown, 0), output), 'float32');
          const scaled = tf.mul(tf.expandDims(ofImage, 0), rgb(network.output.scale));
          return tf.mul(scaled, inside) as tf.Tensor4D;
        });
        const found = await inTurns(backwardPass(steps, tape, gradient, kept), signal);
        const vector = kept.make(() =>
          tf.concat1d(
            parameters.map(({ name, shape }) => {
              const one = found.get(name);
              return one ? tf.reshape(one, [one.size]) : tf.zeros([sizeOf(shape)]);
            }),
          ),
        );
        return (await vector.data()) as Float32Array<ArrayBuffer>;
      });
    },
    dispose() {
      if (lifetime.end()) tf.dispose([...placed.values()]);
    },
  };
}

/** scale * value + offset, by channel. */
const normalized = (map: tf.Tensor4D, { scale, offset }: Normalization): tf.Tensor4D =>
  tf.add(tf.mul(map, rgb(scale)), rgb(offset));

const rgb = (values: readonly [number, number, number]): tf.Tensor4D =>
  tf.tensor4d([...values], [1, 1, 1, 3]);

const clipped = (map: tf.Tensor4D): Image => tf.clipByValue(tf.squeeze(map, [0]), 0, 1) as Image;
