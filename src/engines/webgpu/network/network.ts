/// <reference types="@webgpu/types" />
import type { LayerName } from '../../../features/layer-name';
import {
  type ConvStep,
  convolutionWeights,
  isPool,
  type LoadedNetwork,
  type NetworkStep,
  type Normalization,
} from '../../../features/network';
import type { Padding } from '../../../features/padding';
import type { Gpu, Slice } from '../device/gpu';
import type { FilterForm, Filters } from './convolutions';
import { halvesOf } from './halves';
import type { Precision } from './precision';
import { winogradFilters } from './winograd';

/** A convolution, the ReLU behind it, and the pooling behind that, if there is one. */
export interface Stage {
  readonly name: LayerName;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Whether the input is the pooled output of the stage before. */
  readonly afterPool: boolean;
  /** The pooling behind it. */
  readonly pool: 'max' | 'average' | undefined;
}

/** A layer that is a stage's map: before its ReLU, after it, or pooled. */
export interface Place {
  readonly stage: number;
  readonly part: 'conv' | 'relu' | 'pool';
}

/** A network in the order that the kernels compute. */
export interface Stages {
  readonly stages: readonly Stage[];
  readonly places: ReadonlyMap<LayerName, Place>;
  readonly padding: Padding;
  readonly normalization: Normalization;
}

/**
 * The stages of a network; undefined if the kernels do not compute it: convolutions of channels in multiples of 4, each
 * with a ReLU behind it, and from the second one on perhaps a pooling behind that.
 */
export function stagesOf(steps: readonly NetworkStep[], normalization: Normalization): Stages | undefined {
  const stages: (Stage & { pool: Stage['pool'] })[] = [];
  const places = new Map<LayerName, Place>();
  let last: NetworkStep['op'] | undefined;
  for (const step of steps) {
    const stage = stages.at(-1);
    if (step.op === 'conv') {
      const { name, channelsIn, channelsOut, padding = 'zero' } = step;
      const follows = stage ? stage.channelsOut === channelsIn && padding === 'zero' : channelsIn === 3;
      if (last === 'conv' || !follows || channelsOut % 4 !== 0) return undefined;
      stages.push({ name, channelsIn, channelsOut, afterPool: stage?.pool !== undefined, pool: undefined });
      places.set(name, { stage: stages.length - 1, part: 'conv' });
    } else if (isPool(step)) {
      if (!stage || stages.length < 2 || last !== 'relu') return undefined;
      stage.pool = step.op === 'maxPool' ? 'max' : 'average';
      places.set(step.name, { stage: stages.length - 1, part: 'pool' });
    } else {
      if (last !== 'conv') return undefined;
      places.set(step.name, { stage: stages.length - 1, part: 'relu' });
    }
    last = step.op;
  }
  const [first] = steps;
  if (first?.op !== 'conv') return undefined;
  return { stages, places, padding: first.padding ?? 'zero', normalization };
}

/** Filters and biases of a network on a device; each is uploaded when it is first needed. */
export class NetworkWeights {
  private readonly buffers = new Map<string, Filters>();
  private readonly steps: ReadonlyMap<LayerName, ConvStep>;

  constructor(
    private readonly gpu: Gpu,
    private readonly loaded: LoadedNetwork,
  ) {
    const convolutions = loaded.network.steps.filter((step) => step.op === 'conv');
    this.steps = new Map(convolutions.map((step) => [step.name, step]));
  }

  /** [9][channelsIn][channelsOut], or as many products instead of nine as their form has. */
  filters(layer: LayerName, form: FilterForm = 'taps', precision: Precision = 'float32'): Filters {
    return this.once(`${layer} ${form}`, () => formed(this.of(layer).kernel, form), precision);
  }

  /** [channelsOut] */
  bias(layer: LayerName): Slice {
    return this.once(`${layer} bias`, () => this.of(layer).bias);
  }

  /** [9][channelsOut][channelsIn]: the filters of the gradient with respect to the input, in the same forms. */
  backwardFilters(layer: LayerName, form: FilterForm = 'taps', precision: Precision = 'float32'): Filters {
    return this.once(`${layer} backward ${form}`, () => formed(reversed(this.of(layer)), form), precision);
  }

  /** [9][3][channelsOut], times the scale of the normalisation: the same for the first convolution. */
  firstBackwardFilters(layer: LayerName): Slice {
    return this.once(`${layer} backward`, () => {
      const { kernel, bias } = this.of(layer);
      const { scale } = this.loaded.network.input;
      const [n, result] = [bias.length, new Float32Array(kernel.length)];
      for (let row = 0; row < 27; row++) {
        const [tap, c] = [Math.floor(row / 3), row % 3];
        for (let y = 0; y < n; y++) result[((8 - tap) * 3 + c) * n + y] = kernel[row * n + y] * scale[c];
      }
      return result;
    });
  }

  /** Destroys the buffers. Safe to call twice. */
  dispose(): void {
    this.gpu.submit();
    for (const { buffer } of this.buffers.values()) buffer.destroy();
    this.buffers.clear();
  }

  private of(layer: LayerName) {
    return convolutionWeights(this.steps.get(layer) as ConvStep, this.loaded.weights);
  }

  private once(name: string, make: () => Float32Array, precision: Precision = 'float32'): Filters {
    const key = `${name} ${precision}`;
    const found = this.buffers.get(key) ?? this.put(key, make(), precision);
    this.buffers.set(key, found);
    return found;
  }

  private put(name: string, values: Float32Array, precision: Precision): Filters {
    if (precision === 'float32') return { buffer: this.gpu.put(values, name) };
    const { halves, exponent } = halvesOf(values);
    return { buffer: this.gpu.put(halves, name), exponent };
  }
}

/** Filters [9][channelsIn][channels] in another form. */
export const formed = (filters: Float32Array, form: FilterForm): Float32Array =>
  form === 'taps' ? filters : winogradFilters(filters, form === 'windows4' ? 4 : 2);

/** Reversed along both axes, input and output channels swapped. */
function reversed({ kernel, bias }: { kernel: Float32Array; bias: Float32Array }): Float32Array {
  const n = bias.length;
  const k = kernel.length / 9 / n;
  const result = new Float32Array(kernel.length);
  for (let tap = 0; tap < 9; tap++)
    for (let x = 0; x < k; x++)
      for (let y = 0; y < n; y++) result[((8 - tap) * n + y) * k + x] = kernel[(tap * k + x) * n + y];
  return result;
}
