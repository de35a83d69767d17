import { type Normalization, normalizations } from '../../../features/normalization';
import type { ConvLayer, LayerName, NetworkStep } from '../../../features/vgg19/layers';
import type { LayerWeights, WeightConvention } from '../../../weights/source';
import type { Pooling } from '../../tfjs/tfjs-extractor';
import type { KernelEngine } from '../runtime/kernel-runner';
import { scratchBytes } from './convolve';

/** A convolution with what comes right behind it. */
export interface Stage {
  readonly conv: ConvLayer;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Whether the input is the pooled output of the stage before. */
  readonly afterPool: boolean;
  /** Addresses in the engine's memory. */
  readonly bias: number;
  readonly filters: number;
  /** Filters of the way back; made when first needed. */
  backwardFilters(): number;
}

/** Where a layer is in the network: at a stage, before or after its ReLU, or pooled behind it. */
export interface Place {
  readonly stage: number;
  readonly part: 'conv' | 'relu' | 'pool';
}

/** VGG-19's weights as the kernels want them, in the memory of an engine. */
export class Network {
  readonly stages: readonly Stage[];
  readonly places: ReadonlyMap<LayerName, Place>;
  readonly normalization: Normalization;
  /** Panels of the first convolution, both ways. */
  readonly firstForward: number;
  readonly firstBackward: number;
  private readonly allocations: number[] = [];

  constructor(
    readonly engine: KernelEngine,
    steps: readonly NetworkStep[],
    weights: ReadonlyMap<ConvLayer, LayerWeights>,
    convention: WeightConvention,
    readonly pooling: Pooling,
  ) {
    this.normalization = normalizations[convention];
    const stages: Stage[] = [];
    const places = new Map<LayerName, Place>();
    let afterPool = false;
    for (const step of steps) {
      if (step.kind === 'conv') {
        const found = weights.get(step.name) as LayerWeights;
        stages.push(this.stage(step, found, afterPool));
        afterPool = false;
      } else if (step.kind === 'pool') afterPool = true;
      places.set(step.name, { stage: stages.length - 1, part: step.kind });
    }
    this.stages = stages;
    this.places = places;
    const first = weights.get('conv1_1') as LayerWeights;
    this.firstForward = this.own(engine.memory.put(forwardPanels(first, this.normalization)));
    this.firstBackward = this.own(engine.memory.put(backwardPanels(first, this.normalization)));
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
    step: Extract<NetworkStep, { kind: 'conv' }>,
    { kernel, bias }: LayerWeights,
    afterPool: boolean,
  ): Stage {
    const { channelsIn: k, channelsOut: n } = step;
    const { engine, normalization } = this;
    engine.needScratch(scratchBytes(k, n));
    let backward: number | undefined;
    return {
      conv: step.name,
      channelsIn: k,
      channelsOut: n,
      afterPool,
      bias: this.own(engine.memory.put(bias.map((value) => value * normalization.biasScale))),
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

/** Which of the kernel's input channels stands for colour c of R, G, B. */
const channelOf = (c: number, { bgr }: Normalization): number => (bgr ? 2 - c : c);

/** Panels [n/8][28][8] of `firstForward`: 27 taps (ky, kx, colour), then the bias. */
function forwardPanels({ kernel, bias }: LayerWeights, normalization: Normalization): Float32Array {
  const n = bias.length;
  const panels = new Float32Array(28 * n);
  for (let row = 0; row < 28; row++) {
    const tap = Math.floor(row / 3);
    for (let y = 0; y < n; y++) {
      const value =
        row === 27
          ? bias[y] * normalization.biasScale
          : kernel[(tap * 3 + channelOf(row % 3, normalization)) * n + y];
      panels[((y >> 3) * 28 + row) * 8 + (y & 7)] = value;
    }
  }
  return panels;
}

/** Panels [4][n][8] of `firstBackward`: 27 columns (ky, kx, colour), with the scale of the normalisation in them. */
function backwardPanels({ kernel, bias }: LayerWeights, normalization: Normalization): Float32Array {
  const n = bias.length;
  const panels = new Float32Array(4 * n * 8);
  for (let column = 0; column < 27; column++) {
    // An output at x took the input at x + kx - 1; its gradient goes there.
    const [tap, c] = [Math.floor(column / 3), column % 3];
    for (let y = 0; y < n; y++) {
      const at = ((column >> 3) * n + y) * 8 + (column & 7);
      panels[at] = kernel[(tap * 3 + channelOf(c, normalization)) * n + y] * normalization.scale[c];
    }
  }
  return panels;
}
