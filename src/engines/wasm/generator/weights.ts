import type { GeneratorParameter } from '../../../features/generator-parameters';
import { Blocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';
import type { Convolution, Graph } from './graph';
import { type Kernel, packSweep, panelFloats, type StoredChannels } from './panels';
import { backwardSweeps, forwardSweeps, type Sweep } from './sweeps';

/** A sweep with the address of its weights. */
export interface PackedSweep extends Sweep {
  readonly weights: number;
}

/** The parameters of a network in the layouts that the kernels read, in the memory of an engine. */
export class GeneratorWeights {
  private readonly blocks: Blocks;
  private readonly offsets: ReadonlyMap<string, number>;
  private readonly convolutions: readonly PackedConvolution[];

  /** @param values of all parameters; they are kept, and replaced by `set` */
  constructor(
    private readonly engine: KernelRunner,
    graph: Graph,
    parameters: readonly GeneratorParameter[],
    private values: Float32Array,
  ) {
    this.blocks = new Blocks(engine.memory);
    this.offsets = new Map(parameters.map(({ name, offset }) => [name, offset]));
    this.convolutions = graph.operations
      .filter((operation) => operation.op === 'convolution')
      .map((convolution) => this.allocate(convolution));
    this.set(values);
  }

  /** Replaces all parameters. */
  set(values: Float32Array): void {
    this.values = values;
    const { memory } = this.engine;
    for (const packed of this.convolutions) {
      const { bias } = packed.convolution.step;
      const { channels } = packed.convolution.output;
      if (bias !== undefined) {
        const stored = memory.floats(packed.bias, packed.convolution.output.stored);
        stored.fill(0);
        stored.set(this.vector(bias, channels));
      }
      this.pack(packed.convolution, packed.forward, false);
      if (packed.backward) this.pack(packed.convolution, packed.backward, true);
      if (packed.winograd) this.engine.memory.release(packed.winograd);
      packed.winograd = undefined;
    }
  }

  /** The parameters of a name. */
  vector(name: string, length: number): Float32Array {
    const offset = this.offsetOf(name);
    return this.values.subarray(offset, offset + length);
  }

  /** Where the parameters of a name lie in the vector of all. */
  offsetOf(name: string): number {
    return this.offsets.get(name) ?? 0;
  }

  /** The forward pass of a convolution, and the address of its bias; 0 for none. */
  forward(convolution: Convolution): { readonly sweeps: readonly PackedSweep[]; readonly bias: number } {
    const { forward: sweeps, bias } = this.find(convolution);
    return { sweeps, bias };
  }

  /** The gradient of a convolution's input; its weights are made when first needed. */
  backward(convolution: Convolution): readonly PackedSweep[] {
    const packed = this.find(convolution);
    if (!packed.backward) {
      packed.backward = this.reserve(backwardSweeps(convolution), swap(channelsOf(convolution)));
      this.pack(convolution, packed.backward, true);
    }
    return packed.backward;
  }

  /**
   * Filters of Winograd's convolution, made when first needed; undefined if it cannot compute a convolution, or not
   * faster.
   */
  winograd(convolution: Convolution): number | undefined {
    const { step, enlarged } = convolution;
    const { read, computed } = channelsOf(convolution);
    if (step.op !== 'conv' || step.size !== 3 || step.stride === 2 || enlarged) return undefined;
    if (read < 16 || computed < 16 || computed % 8 !== 0) return undefined;
    const packed = this.find(convolution);
    if (packed.winograd === undefined) {
      const kernel = new Float32Array(9 * read * computed);
      const { channelsIn, channelsOut } = step;
      const values = this.vector(step.kernel, 9 * channelsIn * channelsOut);
      for (let row = 0; row < 9 * channelsIn; row++) {
        const to = Math.floor(row / channelsIn) * read + (row % channelsIn);
        kernel.set(values.subarray(row * channelsOut, (row + 1) * channelsOut), to * computed);
      }
      packed.winograd = this.engine.filters(kernel, read, computed);
    }
    return packed.winograd;
  }

  private allocate(convolution: Convolution): PackedConvolution {
    const { step, output } = convolution;
    return {
      convolution,
      bias: step.bias === undefined ? 0 : this.blocks.allocateFloats(output.stored),
      forward: this.reserve(forwardSweeps(convolution), channelsOf(convolution)),
    };
  }

  private reserve(sweeps: readonly Sweep[], channels: StoredChannels): readonly PackedSweep[] {
    return sweeps.map((sweep) => ({
      ...sweep,
      // A sweep without taps, of a kernel of one row, computes zeros.
      weights: this.blocks.allocateFloats(Math.max(4, panelFloats(sweep, channels))),
    }));
  }

  private pack(convolution: Convolution, sweeps: readonly PackedSweep[], swapped: boolean): void {
    const { size, channelsIn: inputs, channelsOut: outputs, kernel } = convolution.step;
    const values = this.vector(kernel, size * size * inputs * outputs);
    const from: Kernel = { values, size, inputs, outputs };
    const channels = swapped ? swap(channelsOf(convolution)) : channelsOf(convolution);
    for (const sweep of sweeps) {
      const to = this.engine.memory.floats(sweep.weights, panelFloats(sweep, channels));
      packSweep(from, sweep, channels, swapped, to);
    }
  }

  private find(convolution: Convolution): PackedConvolution {
    const found = this.convolutions.find((packed) => packed.convolution === convolution);
    if (!found) throw new Error('a convolution of another graph');
    return found;
  }
}

interface PackedConvolution {
  readonly convolution: Convolution;
  readonly bias: number;
  readonly forward: readonly PackedSweep[];
  backward?: readonly PackedSweep[];
  winograd?: number | undefined;
}

const channelsOf = ({ input, output }: Convolution): StoredChannels => ({
  read: input[0].term.map.stored,
  computed: output.stored,
});

const swap = ({ read, computed }: StoredChannels): StoredChannels => ({ read: computed, computed: read });
