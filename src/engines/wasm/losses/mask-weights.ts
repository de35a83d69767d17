import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerName } from '../../../features/layer-name';
import { pooledMask } from '../../../losses/pooled-mask';
import type { TermMask } from '../../../losses/term-mask';
import type { Size } from '../../shared/fitting-size';
import { Blocks } from '../blocks';
import type { Network } from '../network/network';
import type { FeatureMap } from '../network/pass';
import { layerShape } from '../network/pass-plan';
import type { KernelMemory } from '../runtime/kernel-memory';

/** The weights of a layer's positions in the engine's memory. */
export interface LayerWeights {
  /** Address of the weights [height][width] of the whole map. */
  readonly address: number;
  /**
   * The number of positions divided by what the weighted sum is divided by: see {@link PositionWeights.ratio}. Without
   * a mask 1.
   */
  readonly ratio: number;
}

/** The weights of pairs of neighbours in an image, each the product of those of its pixels. */
export interface PairWeights {
  /** Address of the weights of pixels. */
  readonly address: number;
  /** What weighted sums over horizontal pairs are divided by in a mean. */
  readonly across: number;
  /** Likewise of vertical pairs. */
  readonly down: number;
}

/** The weights of positions without a mask. */
export const noWeights: LayerWeights = { address: 0, ratio: 1 };

/** Bytes of the weights of so many positions; kernels read four at a time, beyond the last one. */
export const layerWeightsBytes = (positions: number): number => 4 * (positions + 4);

/** Bytes of a mask at the sizes of layers, each size once. */
export function maskBytes(network: Network, size: Size, layers: readonly LayerName[]): number {
  const positions = layers.map((layer) => {
    const [, height, width] = layerShape(network, size, layer);
    return height * width;
  });
  return [...new Set(positions)].reduce((sum, count) => sum + layerWeightsBytes(count), 0);
}

/** Address of the weights of a map's first row; 0 without a mask. */
export const weightsOf = ({ address }: LayerWeights, { first = 0, width }: FeatureMap): number =>
  address && address + 4 * first * width;

/** The masks of an objective's terms at the sizes of their layers, each once. */
export class MaskWeights {
  private readonly known: {
    readonly dataId: object;
    readonly positions: number;
    readonly address: number;
    readonly sum: number;
  }[] = [];
  private readonly blocks: Blocks;

  constructor(private readonly memory: KernelMemory) {
    this.blocks = new Blocks(memory);
  }

  /**
   * The weights of a layer of height x width positions by a term's mask, if it has one.
   * @throws InvalidArgumentError `WRONG_SHAPE` if the mask is not of the size of the image
   */
  of(mask: TermMask | undefined, height: number, width: number): LayerWeights {
    if (!mask) return noWeights;
    const positions = height * width;
    const { address, sum } = this.find(mask.weights, positions) ?? this.put(mask.weights, height, width);
    const ratio = mask.mean === 'positions' ? 1 : sum === 0 ? 0 : positions / sum;
    return { address, ratio };
  }

  /** The weights of pairs of neighbours of an image by a term's mask, if it has one. */
  ofPairs(mask: TermMask | undefined, height: number, width: number): PairWeights | undefined {
    if (!mask) return undefined;
    const { address } = this.of(mask, height, width);
    if (mask.mean === 'positions')
      return { address, across: height * (width - 1), down: (height - 1) * width };
    const weights = this.memory.floats(address, height * width);
    let [across, down] = [0, 0];
    for (let k = 0; k < weights.length; k++) {
      if ((k + 1) % width > 0) across += weights[k] * weights[k + 1];
      if (k + width < weights.length) down += weights[k] * weights[k + width];
    }
    return { address, across, down };
  }

  /** Frees the memory. Safe to call twice. */
  dispose(): void {
    this.blocks.dispose();
  }

  private find({ dataId }: Tensor3D, positions: number) {
    return this.known.find((one) => one.dataId === dataId && one.positions === positions);
  }

  private put(weights: Tensor3D, height: number, width: number) {
    const pooled = pooledMask(weights, height, width);
    try {
      const values = pooled.dataSync<'float32'>();
      const address = this.blocks.allocate(layerWeightsBytes(values.length));
      this.memory.floats(address, values.length).set(values);
      const sum = values.reduce((a, b) => a + b, 0);
      const made = { dataId: weights.dataId, positions: values.length, address, sum };
      this.known.push(made);
      return made;
    } finally {
      pooled.dispose();
    }
  }
}
