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
import { finishInTurns, type Steps } from '../steps';
import { tensorValues } from '../tensor-values';
import { type BackwardPass, gradientOfOperation, gradientOfOutput } from './backward';
import { chooseBanding } from './banding';
import { computeOperation, type ForwardPass, outputRows } from './forward';
import { compileGraph } from './graph';
import { paintByBands } from './paint-by-bands';
import { passBytes, reservePass } from './pass-memory';
import { GeneratorWeights } from './weights';

/** Options of {@link createGeneratorProgram}. */
export interface GeneratorProgramOptions extends LoadedGenerator, WasmEngineOptions {
  /**
   * Bytes that an image's maps may take: a larger image is computed by bands, which takes less memory and more time.
   * @default 512 MiB
   */
  readonly room?: number | undefined;
}

/** A feed-forward network on this library's kernels. */
export async function createGeneratorProgram(
  { network, weights: tensors, threads, relaxedSimd, room = 2 ** 29 }: GeneratorProgramOptions,
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
  const { weights, conversions } = owning(({ result }) => {
    result(engine);
    const pattern = (values: readonly number[]) => [0, 1, 2, 3].flatMap(() => values);
    return {
      weights: new GeneratorWeights(engine, graph, parameters, values),
      conversions: {
        input: memory.put(
          Float32Array.from([...pattern(network.input.scale), ...pattern(network.input.offset)]),
        ),
        output: memory.put(Float32Array.from([...network.output.scale, 0, ...network.output.offset, 0])),
      },
    };
  });

  function requireReady(image: Image): readonly [number, number] {
    lifetime.requireAlive();
    requireImage('image', image);
    requireGeneratorSize(steps, image.shape);
    return [image.shape[0], image.shape[1]];
  }

  /** Computes an image whose maps are all in memory. */
  function* paint(pass: ForwardPass, [height, width]: Size, image: Image): Steps<Image> {
    const pixels = height * width * 3;
    memory.floats(pass.places.map(graph.image).address, pixels).set(image.dataSync<'float32'>());
    for (const operation of graph.operations) {
      computeOperation(pass, operation);
      if (pixels >= longWork) yield;
    }
    return withBlocks(memory, (blocks) => {
      const to = blocks.allocateFloats(pixels + 4);
      outputRows(pass, conversions.output, to, { from: 0, to: height });
      return tf.tensor3d(memory.floats(to, pixels).slice(), [height, width, 3]) as Image;
    });
  }

  /** Computes an image, by bands if its maps take more than there is room for. */
  function* paintAnySize(blocks: Blocks, size: Size, image: Image, seed: number): Steps<Image> {
    const settings = { engine, graph, weights, seed, winograd: true };
    const free = Math.min(room, roomIn(memory));
    if (passBytes(graph, size, false) <= free) {
      const reserved = reservePass(engine, blocks, graph, size, false, conversions.input);
      return yield* paint({ ...reserved, ...settings }, size, image);
    }
    const bandingAt = (at: Size) => chooseBanding(graph, at, free);
    requireRoomAt(roomIn(memory), 'An image', size, (smaller) => bandingAt(smaller).bytes);
    const values = image.dataSync<'float32'>();
    const painted = yield* paintByBands(settings, blocks, bandingAt(size), size, values, conversions);
    return tf.tensor3d(painted, [size[0], size[1], 3]) as Image;
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
      const blocks = new Blocks(memory);
      try {
        return await finishInTurns(paintAnySize(blocks, size, image, seed), signal);
      } finally {
        blocks.dispose();
      }
    },
    async gradients(image, lossGradient, { seed = 0, signal } = {}) {
      const size = requireReady(image);
      requireRoomAt(roomIn(memory), 'An image', size, (smaller) => passBytes(graph, smaller, true));
      const blocks = new Blocks(memory);
      try {
        const { gradientOf, ...reserved } = reservePass(engine, blocks, graph, size, true, conversions.input);
        const pass: ForwardPass = { ...reserved, engine, graph, weights, seed, winograd: false };
        const painted = await finishInTurns(paint(pass, size, image), signal);
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
        gradientOfOutput(back, conversions.output, from);
        for (const operation of graph.operations.toReversed()) gradientOfOperation(back, operation);
        return gradient;
      } finally {
        blocks.dispose();
      }
    },
    dispose() {
      if (!lifetime.end()) return;
      engine.dispose();
    },
  };
}

/** Values of an image from which on other tasks have a turn between operations. */
const longWork = 2 ** 20;
