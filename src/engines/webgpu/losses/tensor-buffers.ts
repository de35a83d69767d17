import * as tf from '@tensorflow/tfjs-core';
import { requireSpread } from '../../../losses/channel-moments';
import { polarSteps } from '../../../losses/matrix-root';
import { positionWeights } from '../../../losses/pooled-mask';
import { pairWeights } from '../../../losses/roughness';
import type { TermMask } from '../../../losses/term-mask';
import { sumOf } from '../../../sums';
import { requireShape } from '../../shared/require-shape';
import type { Gpu, Slice } from '../device/gpu';
import type { TfjsDevice } from '../device/tfjs-device';
import type { ShapeOf } from './commands';
import type { TermOf } from './parts';
import type { TermTensors } from './term-commands';

/**
 * The tensors of an objective's terms as buffers: targets as they are, and what is made of masks, which is computed on
 * the device and never read. Those that it makes are its own.
 */
export class TensorBuffers implements TermTensors {
  private readonly held: tf.Tensor[] = [];
  private readonly made = new Map<string, Slice>();
  private readonly masks = new Map<object, number>();
  private steps: GPUBuffer | undefined;

  constructor(
    private readonly gpu: Gpu,
    private readonly tfjs: TfjsDevice,
    private readonly shapeOf: ShapeOf,
  ) {}

  target(term: TermOf<'feature' | 'gram'>): Slice {
    const { target, layer, kind } = term;
    const [h, w, channels] = this.shapeOf(layer);
    const tensor = 'map' in target ? tf.tidy(() => target.map()) : target;
    if (tensor !== target) this.held.push(tensor);
    return this.sliceOf(tensor, layer, kind === 'gram' ? [channels, channels] : [1, h, w, channels]);
  }

  statistic({ statistic, target, layer }: TermOf<'statistic'>): readonly Slice[] {
    const [height, width, n] = this.shapeOf(layer);
    requireSpread('styleLoss', layer, { shape: [1, height, width, n] });
    const shapes =
      statistic === 'wasserstein'
        ? [[1, n], [n, n], []]
        : [
            [1, n],
            [1, n],
          ];
    return shapes.map((shape, i) => this.sliceOf(target[i], layer, shape));
  }

  constants({ statistic, target, layer, mask }: TermOf<'statistic'>): Slice {
    const [height, width] = this.shapeOf(layer);
    return this.hold(() => {
      const weights = mask ? tf.div(sumOf(weightsOf(mask, height, width)), height * width) : tf.scalar(1);
      return tf.stack([weights, statistic === 'wasserstein' ? target[3] : tf.scalar(0)]);
    });
  }

  weights(mask: TermMask, height: number, width: number): Slice {
    return this.ofMask(`${height} x ${width}`, mask, () => weightsOf(mask, height, width));
  }

  pairWeights(mask: TermMask): Slice {
    const [height, width] = this.shapeOf('image');
    return this.ofMask('pairs', mask, () =>
      pairWeights(positionWeights(mask, height, width).weights, mask.mean),
    );
  }

  polarStep(step: number): Slice {
    // Bindings begin at multiples of 256 bytes.
    this.steps ??= this.gpu.put(
      Float32Array.from({ length: 64 * polarSteps.length }, (_, i) => polarSteps[i >> 6][i & 63] ?? 0),
      'polar steps',
    );
    return { buffer: this.steps, offset: 256 * step, size: 16 };
  }

  /** Frees what it has made. Safe to call twice. */
  dispose(): void {
    tf.dispose(this.held);
    this.steps?.destroy();
  }

  /** What is made of a mask, once for each way. */
  private ofMask(how: string, mask: TermMask, make: () => tf.Tensor): Slice {
    const { dataId } = mask.weights;
    const index = this.masks.get(dataId) ?? this.masks.size;
    this.masks.set(dataId, index);
    const key = `${how} of ${index} over ${mask.mean}`;
    const slice = this.made.get(key) ?? this.hold(make);
    this.made.set(key, slice);
    return slice;
  }

  private hold(make: () => tf.Tensor): Slice {
    const tensor = tf.keep(tf.tidy(make));
    this.held.push(tensor);
    return { buffer: this.tfjs.bufferOf(tensor), size: 4 * tensor.size };
  }

  private sliceOf(tensor: tf.Tensor, layer: string, shape: readonly number[]): Slice {
    requireShape(tensor, `The target of ${layer}`, shape, layer);
    return { buffer: this.tfjs.bufferOf(tensor), size: 4 * tensor.size };
  }
}

/** Weights of positions, whose mean is 1 where the mask's mean is over weights. */
function weightsOf(mask: TermMask, height: number, width: number): tf.Tensor3D {
  const { weights, ratio } = positionWeights(mask, height, width);
  return tf.mul(weights, ratio);
}
