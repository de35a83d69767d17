import type { LayerName } from '../../../features/layer-name';
import {
  type ConvStep,
  convolutionWeights,
  isPool,
  type NamedTensors,
  type Network as NetworkData,
  type Normalization,
} from '../../../features/network';
import type { KernelRunner } from '../runtime/kernel-runner';
import { scratchBytes } from './convolve';

/** A convolution with what comes right behind it. */
export interface Stage {
  readonly conv: LayerName;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Whether the input is the pooled output of the stage before. */
  readonly afterPool: boolean;
  /** Whether the pooling behind it, if there is one, takes means, not maxima. */
  readonly averagePool: boolean;
  /** Addresses in the engine's memory. */
  readonly bias: number;
  readonly filters: number;
  /** Filters of the way back; made when first needed. */
  backwardFilters(): number;
}

/** Kernel and bias of a convolution. */
type ConvWeights = ReturnType<typeof convolutionWeights>;

/** Where a layer is in the network: at a stage, before or after its ReLU, or pooled behind it. */
export interface Place {
  readonly stage: number;
  readonly part: 'conv' | 'relu' | 'pool';
}

/** A network's weights as the kernels want them, in the memory of an engine. */
export class Network {
  readonly stages: readonly Stage[];
  readonly places: ReadonlyMap<LayerName, Place>;
  readonly normalization: Normalization;
  /** Panels of the first convolution, both ways. */
  readonly firstForward: number;
  readonly firstBackward: number;
  private readonly allocations: number[] = [];

  constructor(
    readonly engine: KernelRunner,
    { steps, input }: NetworkData,
    weights: NamedTensors,
  ) {
    this.normalization = input;
    const stages: Stage[] = [];
    const places = new Map<LayerName, Place>();
    let afterPool = false;
    for (const step of steps) {
      if (step.op === 'conv') {
        const next = steps.slice(steps.indexOf(step) + 1);
        const pool = next.slice(0, next.findIndex(({ op }) => op === 'conv') >>> 0).find(isPool);
        stages.push(
          this.stage(step, convolutionWeights(step, weights), afterPool, pool?.op === 'averagePool'),
        );
        afterPool = false;
      } else if (isPool(step)) afterPool = true;
      places.set(step.name, { stage: stages.length - 1, part: isPool(step) ? 'pool' : step.op });
    }
    this.stages = stages;
    this.places = places;
    const first = convolutionWeights(steps[0] as ConvStep, weights);
    this.firstForward = this.own(engine.memory.put(forwardPanels(first)));
    this.firstBackward = this.own(engine.memory.put(backwardPanels(first, input)));
  }

  /** Frees the weights. */
  dispose(): void {
    for (const address of this.allocations.splice(0)) this.engine.memory.release(address);
  }

  private own(address: number): number {
    this.allocations.push(address);
    return address;
  }

  private stage(
    step: ConvStep,
    { kernel, bias }: ConvWeights,
    afterPool: boolean,
    averagePool: boolean,
  ): Stage {
    const { channelsIn: k, channelsOut: n } = step;
    const { engine } = this;
    engine.needScratch(scratchBytes(k, n));
    let backward: number | undefined;
    return {
      conv: step.name,
      channelsIn: k,
      channelsOut: n,
      afterPool,
      averagePool,
      bias: this.own(engine.memory.put(bias)),
      filters: k === 3 ? 0 : this.own(engine.filters(kernel, k, n)),
      backwardFilters: () => {
        backward ??= this.own(engine.filters(flipped(kernel, k, n), n, k));
        return backward;
      },
    };
  }
}

/** The kernel of the gradient with respect to a convolution's input: reversed in both axes, channels swapped. */
function flipped(kernel: Float32Array, k: number, n: number): Float32Array {
  const result = new Float32Array(kernel.length);
  for (let tap = 0; tap < 9; tap++) {
    for (let x = 0; x < k; x++) {
      for (let y = 0; y < n; y++) result[((8 - tap) * n + y) * k + x] = kernel[(tap * k + x) * n + y];
    }
  }
  return result;
}

/** Panels [n/8][28][8] of `firstForward`: 27 taps (ky, kx, colour), then the bias. */
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

/** Panels [4][n][8] of `firstBackward`: 27 columns (ky, kx, colour), with the scale of the normalisation in them. */
function backwardPanels({ kernel, bias }: ConvWeights, { scale }: Normalization): Float32Array {
  const n = bias.length;
  const panels = new Float32Array(4 * n * 8);
  for (let column = 0; column < 27; column++) {
    // An output at x took the input at x + kx - 1; its gradient goes there.
    const [tap, c] = [Math.floor(column / 3), column % 3];
    for (let y = 0; y < n; y++) {
      const at = ((column >> 3) * n + y) * 8 + (column & 7);
      panels[at] = kernel[(tap * 3 + c) * n + y] * scale[c];
    }
  }
  return panels;
}
