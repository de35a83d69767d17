import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../../../allocation';
import { generatorParameters, parameterVector, requireLength } from '../../../features/generator-parameters';
import { requireGeneratorSize, resolveSteps } from '../../../features/generator-steps';
import type { Image } from '../../../image/image';
import { requireImage } from '../../../image/require-image';
import { Lifetime, owning } from '../../../owning';
import type { EngineLoadOptions, GeneratorProgram, LoadedGenerator } from '../../engine';
import type { Size } from '../../shared/fitting-size';
import { Blocks, withBlocks } from '../blocks';
import type { WasmEngineOptions } from '../options';
import { requireRoomAt, roomIn } from '../require-room';
import { KernelRunner } from '../runtime/kernel-runner';
import { tensorValues } from '../tensor-values';
import { type BackwardPass, gradientOfOperation, gradientOfOutput } from './backward';
import { computeOperation, computeOutput, type ForwardPass } from './forward';
import { compileGraph } from './graph';
import { type PassMemory, passBytes, reservePass } from './pass-memory';
import { GeneratorWeights } from './weights';

/** A feed-forward network on this library's kernels. */
export async function createGeneratorProgram(
  { network, weights: tensors, threads, relaxedSimd }: LoadedGenerator & WasmEngineOptions,
  { signal, onWarning }: EngineLoadOptions = {},
): Promise<GeneratorProgram> {
  checkAllocations();
  const steps = resolveSteps(network);
  const parameters = generatorParameters(network);
  const values = parameterVector(network, tensors);
  const graph = compileGraph(steps);
  const owner = 'The generator';
  const engine = await KernelRunner.create({ threads, relaxedSimd, signal, onWarning, owner });
  const { memory } = engine;
  const lifetime = new Lifetime(owner);
  const { weights, input, output } = owning(({ result }) => {
    result(engine);
    const pattern = (values: readonly number[]) => [0, 1, 2, 3].flatMap(() => values);
    return {
      weights: new GeneratorWeights(engine, graph, parameters, values),
      input: memory.put(
        Float32Array.from([...pattern(network.input.scale), ...pattern(network.input.offset)]),
      ),
      output: memory.put(Float32Array.from([...network.output.scale, 0, ...network.output.offset, 0])),
    };
  });

  function requireReady(image: Image): readonly [number, number] {
    lifetime.requireAlive();
    requireImage('image', image);
    requireGeneratorSize(steps, image.shape);
    return [image.shape[0], image.shape[1]];
  }

  /** Works with the memory of a pass, which is freed behind it. */
  async function withPass<T>(
    size: Size,
    gradients: boolean,
    seed: number,
    work: (made: { pass: ForwardPass; blocks: Blocks; gradientOf: PassMemory['gradientOf'] }) => Promise<T>,
  ): Promise<T> {
    requireRoomAt(roomIn(memory), 'An image', size, (smaller) => passBytes(graph, smaller, gradients));
    const blocks = new Blocks(memory);
    try {
      const { gradientOf, ...reserved } = reservePass(engine, blocks, graph, size, gradients, input);
      return await work({
        pass: { ...reserved, engine, graph, weights, seed, winograd: !gradients },
        blocks,
        gradientOf,
      });
    } finally {
      blocks.dispose();
    }
  }

  /** Computes an image. */
  function paint(pass: ForwardPass, [height, width]: Size, image: Image): Image {
    const pixels = height * width * 3;
    memory.floats(pass.places.map(graph.image).address, pixels).set(image.dataSync<'float32'>());
    for (const operation of graph.operations) computeOperation(pass, operation);
    return withBlocks(memory, (blocks) => {
      const to = blocks.allocateFloats(pixels + 4);
      computeOutput(pass, output, to);
      return tf.tensor3d(memory.floats(to, pixels).slice(), [height, width, 3]) as Image;
    });
  }

  return {
    parameters,
    setParameters(next) {
      lifetime.requireAlive();
      requireLength(parameters, next);
      weights.set(next.slice());
    },
    async run(image, { seed = 0, signal } = {}) {
      const size = requireReady(image);
      signal?.throwIfAborted();
      return withPass(size, false, seed, async ({ pass }) => paint(pass, size, image));
    },
    async gradients(image, lossGradient, { seed = 0, signal } = {}) {
      const size = requireReady(image);
      signal?.throwIfAborted();
      return withPass(size, true, seed, async ({ pass, blocks, gradientOf }) => {
        const painted = paint(pass, size, image);
        const given = await owning(async ({ temporary }) => {
          temporary(painted);
          const tensor = temporary(await lossGradient(painted));
          return tensorValues(tensor, 'The gradient of the image', painted.shape, 'lossGradient');
        });
        signal?.throwIfAborted();
        lifetime.requireAlive();
        const gradient = new Float32Array(values.length);
        const back: BackwardPass = { ...pass, gradientOf, size, blocks, gradient, written: new Set() };
        const from = blocks.allocateFloats(given.length + 4);
        memory.floats(from, given.length).set(given);
        gradientOfOutput(back, output, from);
        for (const operation of graph.operations.toReversed()) gradientOfOperation(back, operation);
        return gradient;
      });
    },
    dispose() {
      if (!lifetime.end()) return;
      engine.dispose();
    },
  };
}
