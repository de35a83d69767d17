import { WeightsError } from '../../../errors';
import type { LayerName } from '../../../features/layer-name';
import {
  type ConvStep,
  convolutionWeights,
  isPool,
  type NamedTensors,
  type Network as NetworkData,
  type NetworkStep,
  type Normalization,
} from '../../../features/network';
import type { Padding } from '../../../features/padding';
import { showText } from '../../../options/show';
import { Lifetime, owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';
import { scratchBytes } from './convolve';

/** A convolution, the ReLU behind it, and the pooling behind that, if there is one. */
export interface Stage {
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Whether the input is the pooled output of the stage before. */
  readonly afterPool: boolean;
  /** Whether the pooling behind it, if there is one, takes means, not maxima. */
  readonly averagePool: boolean;
  /** Address in the engine's memory. */
  readonly bias: number;
  /** Address of the filters for `convolve`; 0 for the first stage, whose weights are stored as panels. */
  readonly filters: number;
  /** Address of the filters of the backward pass; made when first needed. */
  backwardFilters(): number;
  /** Bytes that {@link backwardFilters} will allocate; 0 after its first call. */
  missingBytes(): number;
}

/** Kernel and bias of a convolution. */
type ConvWeights = ReturnType<typeof convolutionWeights>;

/** Position of a layer in the network: its stage, and whether before or after the ReLU, or pooled. */
export interface Place {
  readonly stage: number;
  readonly part: 'conv' | 'relu' | 'pool';
}

/** Whether a layer is the network's first convolution, before its ReLU: the one map that is linear in the image. */
export function isFirstConvolution({ places }: Network, layer: LayerName): boolean {
  const place = places.get(layer);
  return place?.stage === 0 && place.part === 'conv';
}

/** A network's weights in the layouts that the kernels read, in the memory of an engine. */
export class Network {
  readonly stages: readonly Stage[];
  readonly places: ReadonlyMap<LayerName, Place>;
  readonly steps: readonly NetworkStep[];
  readonly normalization: Normalization;
  /** What the first convolution reads beyond the image's border. */
  readonly padding: Padding;
  /** Addresses of the first convolution's weights, for `firstForward` and `firstBackward`. */
  readonly firstForward: number;
  readonly firstBackward: number;
  private readonly blocks: Blocks;
  private readonly lifetime = new Lifetime('The extractor');

  /**
   * @throws WeightsError `UNSUPPORTED_NETWORK` if the kernels do not support the order of the steps,
   * `WRONG_WEIGHTS` if tensors do not fit the steps
   */
  constructor(
    readonly engine: KernelRunner,
    { steps, input }: NetworkData,
    weights: NamedTensors,
  ) {
    const { shapes, places } = stagesOf(steps);
    const blocks = new Blocks(engine.memory);
    const convolutions = shapes.map(({ conv }) => convolutionWeights(conv, weights));
    this.steps = steps;
    this.normalization = input;
    this.padding = shapes[0].conv.padding ?? 'zero';
    this.places = places;
    this.blocks = blocks;
    [this.stages, this.firstForward, this.firstBackward] = owning(({ result }) => {
      result(blocks);
      return [
        shapes.map((shape, i) => this.stage(shape, convolutions[i], i === 0)),
        blocks.put(forwardPanels(convolutions[0])),
        blocks.put(backwardPanels(convolutions[0], input)),
      ];
    });
  }

  /** Throws `DISPOSED` once the network has been disposed. */
  requireAlive(): void {
    this.lifetime.requireAlive();
  }

  /** Frees the weights. Safe to call twice. */
  dispose(): void {
    if (this.lifetime.end()) this.blocks.dispose();
  }

  private stage(shape: StageShape, { kernel, bias }: ConvWeights, first: boolean): Stage {
    const { engine, blocks } = this;
    const { channelsIn: k, channelsOut: n } = shape.conv;
    engine.needScratch(scratchBytes(k, n));
    let backward: number | undefined;
    return {
      channelsIn: k,
      channelsOut: n,
      afterPool: shape.afterPool,
      averagePool: shape.averagePool,
      bias: blocks.put(bias),
      filters: first ? 0 : blocks.adopt(engine.filters(kernel, k, n)),
      backwardFilters: () => {
        backward ??= blocks.adopt(engine.filters(flipped(kernel, k, n), n, k));
        return backward;
      },
      missingBytes: () => (first || backward !== undefined ? 0 : 4 * 36 * k * n),
    };
  }
}

/** A stage before its weights are in place. */
interface StageShape {
  readonly conv: ConvStep;
  readonly afterPool: boolean;
  averagePool: boolean;
}

/**
 * Groups steps into stages, in the only order that the kernels support: convolution, ReLU, and from the second stage on
 * perhaps a pooling.
 */
function stagesOf(steps: readonly NetworkStep[]): { shapes: StageShape[]; places: Map<LayerName, Place> } {
  const shapes: StageShape[] = [];
  const places = new Map<LayerName, Place>();
  let last: Place['part'] | undefined;
  for (const step of steps) {
    const shape = shapes.at(-1);
    if (step.op === 'conv') {
      // The input of a convolution goes through a ReLU as it is read, unless it has been pooled.
      require(step, last !== 'conv', 'a convolution behind a ReLU or a pooling');
      const first = shapes.length === 0;
      const channelsIn = shape?.conv.channelsOut ?? 3;
      require(step, step.channelsIn === channelsIn, `${channelsIn} channels of input`);
      const sizes = step.channelsOut % 8 === 0 && (first || step.channelsIn % 8 === 0);
      require(step, sizes, 'channels in multiples of 8');
      shapes.push({ conv: step, afterPool: last === 'pool', averagePool: false });
      last = 'conv';
    } else if (isPool(step)) {
      require(step, last === 'relu' &&
        shapes.length > 1, 'a pooling behind the ReLU of a second or later convolution');
      if (shape) shape.averagePool = step.op === 'averagePool';
      last = 'pool';
    } else {
      require(step, last === 'conv', 'a ReLU behind a convolution');
      last = 'relu';
    }
    places.set(step.name, { stage: shapes.length - 1, part: last });
  }
  if (shapes.length === 0) require({ name: 'image' }, false, 'a network that begins with a convolution');
  return { shapes, places };
}

function require({ name }: { readonly name: LayerName }, holds: boolean, accepted: string): void {
  if (holds) return;
  throw new WeightsError(
    'UNSUPPORTED_NETWORK',
    `The wasm engine does not compute this network: at ${showText(name)} it takes only ${accepted}. Engine 'tfjs' takes any order of steps.`,
    { option: name, value: name, accepted },
  );
}

/**
 * The kernel of the gradient with respect to a convolution's input: reversed along both axes, input and output channels
 * swapped.
 */
function flipped(kernel: Float32Array, k: number, n: number): Float32Array {
  const result = new Float32Array(kernel.length);
  for (let tap = 0; tap < 9; tap++) {
    for (let x = 0; x < k; x++) {
      for (let y = 0; y < n; y++) result[((8 - tap) * n + y) * k + x] = kernel[(tap * k + x) * n + y];
    }
  }
  return result;
}

/** Weights of `firstForward` in panels [n/8][28][8]: 27 taps (ky, kx, colour), then the bias. */
function forwardPanels({ kernel, bias }: ConvWeights): Float32Array {
  const n = bias.length;
  const panels = new Float32Array(28 * n);
  for (let row = 0; row < 28; row++) {
    const tap = Math.floor(row / 3);
    for (let y = 0; y < n; y++) {
      const value = row === 27 ? bias[y] : kernel[(tap * 3 + (row % 3)) * n + y];
      panels[((y >> 3) * 28 + row) * 8 + (y & 7)] = value;
    }
  }
  return panels;
}

/**
 * Weights of `firstBackward` in panels [4][n][8]: 27 columns (ky, kx, colour), times the scale of the normalisation.
 */
function backwardPanels({ kernel, bias }: ConvWeights, { scale }: Normalization): Float32Array {
  const n = bias.length;
  const panels = new Float32Array(4 * n * 8);
  for (let column = 0; column < 27; column++) {
    // The output at x read the input at x + kx - 1, to which its gradient goes.
    const [tap, c] = [Math.floor(column / 3), column % 3];
    for (let y = 0; y < n; y++) {
      const at = ((column >> 3) * n + y) * 8 + (column & 7);
      panels[at] = kernel[(tap * 3 + c) * n + y] * scale[c];
    }
  }
  return panels;
}
