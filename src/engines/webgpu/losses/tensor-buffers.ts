import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../../../features/extractor';
import type { LayerName } from '../../../features/layer-name';
import { requireSpread } from '../../../losses/channel-moments';
import { polarSteps } from '../../../losses/matrix-root';
import { positionWeights } from '../../../losses/pooled-mask';
import { pairWeights } from '../../../losses/roughness';
import type { TermMask } from '../../../losses/term-mask';
import { sumOf } from '../../../sums';
import type { Band, Rows } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import { mapRows, partOf } from '../../shared/map-rows';
import { requireShape } from '../../shared/require-shape';
import type { Gpu, Slice } from '../device/gpu';
import type { TfjsDevice } from '../device/tfjs-device';
import type { Stages } from '../network/network';
import type { ShapeOf } from './commands';
import { shapesOf } from './evaluation-plan';
import type { TermOf } from './parts';
import type { BandTensors, TermTensors } from './term-commands';

/**
 * The tensors of an objective's terms as buffers: targets as they are, and what is made of masks, which is computed on
 * the device and never read. Those that it makes are its own.
 */
export class TensorBuffers implements TermTensors {
  private readonly held: tf.Tensor[] = [];
  private readonly made = new Map<string, Slice>();
  private readonly origins = new Map<object, number>();
  private steps: GPUBuffer | undefined;
  /** Of the whole image. */
  private readonly shapeOf: ShapeOf;

  constructor(
    private readonly gpu: Gpu,
    private readonly tfjs: TfjsDevice,
    private readonly stages: Stages,
    /** Computes features of images that are targets. */
    private readonly extract: FeatureExtractor['extract'],
    size: Size,
  ) {
    this.shapeOf = shapesOf(stages, size);
  }

  gram({ target, layer }: TermOf<'gram'>): Slice {
    const [, , channels] = this.shapeOf(layer);
    return this.sliceOf(target, layer, [channels, channels]);
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

  pairWeights(mask: TermMask): Slice {
    const [height, width] = this.shapeOf('image');
    return this.ofMask('pairs', mask, () =>
      pairWeights(positionWeights(mask, height, width).weights, mask.mean),
    );
  }

  of(band: Band | undefined): BandTensors {
    return band ? this.ofBand(band) : this.ofImage;
  }

  /** Of the whole image. */
  private readonly ofImage: BandTensors = {
    feature: ({ target, layer }) => {
      const shape = [1, ...this.shapeOf(layer)];
      if (target instanceof tf.Tensor) return this.sliceOf(target, layer, shape);
      const [height, width] = this.shapeOf('image');
      requireShape(target.image, `The target of ${layer}`, [height, width, 3], layer);
      return this.once('feature', target, () => target.map());
    },
    weights: (layer, mask) => {
      const [height, width] = this.shapeOf(layer);
      return mask && this.ofMask(`${height} x ${width}`, mask, () => weightsOf(mask, height, width));
    },
  };

  /** Of the rows of a band. */
  private ofBand(band: Band): BandTensors {
    return {
      feature: (term) => {
        const { target, layer } = term;
        const [height, width, channels] = this.shapeOf(layer);
        const rows = this.rowsOf(band, layer);
        if (!(target instanceof tf.Tensor)) {
          requireShape(target.image, `The target of ${layer}`, [...this.shapeOf('image')], layer);
          const compute = () => this.extract(partOf(target.image, band), [layer])[layer] as tf.Tensor;
          return this.once(`feature ${layer} from ${band.rows.from}`, target.image.dataId, compute);
        }
        requireShape(target, `The target of ${layer}`, [1, height, width, channels], layer);
        return this.once(`feature ${layer} from ${band.rows.from}`, target.dataId, () =>
          mapRows(target, rows),
        );
      },
      weights: (layer, mask) => {
        const [height, width] = this.shapeOf(layer);
        const rows = this.rowsOf(band, layer);
        const { from, to } = band.owned(layer);
        const make = () => {
          // The last band may be lower than a deep layer's stride.
          if (from === to) return tf.zeros([rows.to - rows.from, width, 1]);
          const whole = mask ? weightsOf(mask, height, width) : tf.ones<tf.Rank.R3>([height, width, 1]);
          const owned = tf.slice(whole, [rows.from + from, 0, 0], [to - from, width, 1]);
          return tf.pad(owned, [
            [from, rows.to - rows.from - to],
            [0, 0],
            [0, 0],
          ]);
        };
        const how = `${height} x ${width} from ${band.rows.from}`;
        return mask ? this.ofMask(how, mask, make) : this.once(how, this, make);
      },
    };
  }

  /** Rows of a layer's map that a band has, in that of the whole image. */
  private rowsOf({ rows, first }: Band, layer: LayerName): Rows {
    const from = first(layer);
    // As many as the band's image has after the poolings before the layer.
    const [height] = shapesOf(this.stages, [rows.to - rows.from, this.shapeOf('image')[1]])(layer);
    return { from, to: from + height };
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
    return this.once(`${how} over ${mask.mean}`, mask.weights.dataId, make);
  }

  /** A tensor that is made of something, once for each way. */
  private once(how: string, of: object, make: () => tf.Tensor): Slice {
    const index = this.origins.get(of) ?? this.origins.size;
    this.origins.set(of, index);
    const key = `${how}, of ${index}`;
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
