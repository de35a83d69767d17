/// <reference types="@webgpu/types" />
import * as tf from '@tensorflow/tfjs-core';
import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import { type Command, costOf, type Gpu, gpuOf } from '../../src/engines/webgpu/device/gpu';
import { TfjsDevice } from '../../src/engines/webgpu/device/tfjs-device';
import type { KernelObjective } from '../../src/engines/webgpu/losses/objective';
import type { Convolutions } from '../../src/engines/webgpu/network/convolutions';
import { createWebgpuExtractor } from '../../src/engines/webgpu/webgpu-extractor';
import type { FeatureExtractor, Features } from '../../src/features/extractor';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import type { Image } from '../../src/image/image';
import { contentLoss, type Loss, styleLoss, sum, weighted } from '../../src/losses';
import { createObjective, type Objective } from '../../src/objective';
import { type Scene, sceneLayers, type Weights } from '../scene';

/** An evaluation of the benchmarks' loss that can be timed, on the active backend webgpu. */
export interface Measured {
  readonly objective: Objective;
  /** Evaluates once and waits for the gradient. @returns the loss */
  evaluate(): Promise<number>;
  dispose(): void;
}

/** By which kernels: this library's, or operations of tfjs on the same device. */
export type By = 'own' | 'tfjs';

/**
 * The loss of the benchmarks at the content picture of a scene.
 *
 * @param convolutions how our own kernels compute them, where commands are counted that another adapter would have:
 *   then nothing is computed, for targets either
 */
export function measured(
  by: By,
  weights: Weights,
  { content, style }: Scene,
  convolutions?: Convolutions,
): Measured {
  const network = loadedVgg19(weights, {
    lastLayer: 'conv3_1',
    convention: 'caffe',
    weightsName: 'benchmark',
  });
  // What is not computed is not bound either.
  const largest = convolutions && Number.POSITIVE_INFINITY;
  const extractor =
    by === 'own' ? createWebgpuExtractor(network, { convolutions, largest }) : createTfjsExtractor(network);
  const loss = convolutions ? blankLoss(content.shape) : lossOf(extractor, content, style);
  const [height, width] = content.shape;
  const objective = createObjective(extractor, loss, [height, width]);
  return {
    objective,
    async evaluate() {
      const { value, gradient, terms } = objective.evaluate(content);
      await gradient.data();
      const [number] = await value.data();
      tf.dispose([value, gradient, terms]);
      // What WebGPU has refused takes no time.
      activeGpu().requireNoReport(0);
      return number;
    },
    dispose() {
      objective.dispose();
      loss.dispose?.();
      extractor.dispose();
    },
  };
}

function lossOf(extractor: FeatureExtractor, content: Image, style: Image): Loss {
  const layers = sceneLayers('conv3_1');
  return lossTo(extractor.extract(content, [layers.content]), extractor.extract(style, layers.style));
}

/** The same with targets that nothing was computed for, whose commands are the same. */
function blankLoss([height, width]: readonly number[]): Loss {
  const layers = sceneLayers('conv3_1');
  const blank = (of: readonly string[], h: number, w: number) =>
    Object.fromEntries(
      of.map((layer) => [layer, tf.zeros([1, h, w, channelsOf[Number(layer[4])]])]),
    ) as Features;
  return lossTo(blank([layers.content], height >> 1, width >> 1), blank(layers.style, 4, 4));
}

/** Disposes the features. */
function lossTo(wanted: Features, strokes: Features): Loss {
  const loss = sum([contentLoss(wanted), weighted(1e6, styleLoss(strokes))]);
  tf.dispose([wanted, strokes] as tf.TensorContainer);
  return loss;
}

/** Channels of VGG-19's blocks. */
const channelsOf = [0, 64, 128, 256] as const;

/** The library's view of the active device. */
export const activeGpu = (): Gpu => gpuOf(new TfjsDevice().device);

/** The commands of one evaluation, recorded and not computed. */
export function commandsOf({ objective }: Measured, image: Image): readonly Command[] {
  const [gpu, tfjs] = [activeGpu(), new TfjsDevice()];
  const found: Command[] = [];
  const record = gpu.record;
  gpu.record = (commands) => void found.push(...commands);
  try {
    (objective as Partial<KernelObjective>).record?.({ buffer: tfjs.bufferOf(image) });
    gpu.submit();
  } finally {
    gpu.record = record;
  }
  return found;
}

/** What the commands of one evaluation take. */
export interface Counted {
  readonly dispatches: number;
  readonly kernels: number;
  readonly flop: number;
  readonly bytes: number;
}

/** Counts commands. */
export function counted(commands: readonly Command[]): Counted {
  const costs = commands.map(costOf);
  return {
    dispatches: commands.length,
    kernels: new Set(commands.map(({ code }) => code)).size,
    flop: costs.reduce((total, { flop }) => total + flop, 0),
    bytes: costs.reduce((total, { bytes }) => total + bytes, 0),
  };
}

/** A smooth picture of waves, for machines without files. */
export function waves(size: number, seed: number): Image {
  const at = (k: number, c: number) => {
    const [y, x] = [Math.floor(k / size) / size, (k % size) / size];
    return 0.5 + 0.25 * Math.sin((9 + seed) * x + 2 * c) + 0.25 * Math.cos((13 - seed) * y * (1 + x) + c);
  };
  const values = Float32Array.from({ length: 3 * size * size }, (_, i) => at(Math.floor(i / 3), i % 3));
  return tf.tensor3d(values, [size, size, 3]);
}
