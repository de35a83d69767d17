import type { LayerName } from '../../../features/layer-name';
import { borderOf, paddings } from '../../../features/padding';
import type { Rows } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import { Blocks } from '../blocks';
import { requireRoomAt, roomIn } from '../require-room';
import { finish } from '../steps';
import { convolve } from './convolve';
import type { Network, Place } from './network';
import { type KeptMaps, type PassOptions, planPass, type StageMaps } from './pass-plan';

/** A feature map in the engine's memory, [height][width][channels]. */
export interface FeatureMap {
  readonly address: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Whether the layer is the ReLU of the stored values. */
  readonly relu: boolean;
  /**
   * Whether the map is not stored but computed, as the first convolution of the normalised image with its border at
   * `address`.
   */
  readonly fromImage: boolean;
  /** The first row, counted in the map of the whole image. @default 0 */
  readonly first?: number;
}

/** Rows `from` to `to` - 1 of a feature map, where they are row `first` and following of the whole image's map. */
export function rowsOf(map: FeatureMap, { from, to }: Rows, first: number): FeatureMap {
  return { ...map, address: map.address + from * rowBytes(map), height: to - from, first: first + from };
}

/** Bytes from a row of a map's memory to the next; the normalised image has a border. */
export const rowBytes = ({ width, channels, fromImage }: FeatureMap): number =>
  fromImage ? 12 * (width + 2) : 4 * width * channels;

/** Memory that a {@link Pass} works in. */
export interface PassRoom {
  /** Address of a block of the bytes that `planPass` says. */
  readonly address: number;
  /** Maps that are kept elsewhere, by stage, from the row on where the pass begins. */
  readonly kept?: readonly KeptMaps[] | undefined;
}

/**
 * Adds to the gradient of a layer's feature map, at address `gradient` and of the map's shape. Called from
 * the deepest layer to the first.
 */
export type Contribute = (layer: LayerName, map: FeatureMap, gradient: number) => void;

/** Receives a layer's feature map, which is valid during the call. */
export type Visit = (layer: LayerName, map: FeatureMap) => void;

/** A stage of the network with its maps. */
export interface ComputedStage extends StageMaps {
  readonly stage: number;
}

/**
 * The network at images of one size: memory for its feature maps, forward and backward pass. Only outputs before
 * ReLUs are kept: the next convolution applies the ReLU as it reads.
 */
export class Pass {
  private readonly blocks: Blocks;
  /** The normalised image with its border. */
  private readonly input: number;
  private readonly maps: readonly StageMaps[];

  /** @param room memory of the caller; by default the pass allocates and frees its own */
  constructor(
    private readonly network: Network,
    readonly height: number,
    readonly width: number,
    private readonly options: PassOptions,
    room?: PassRoom,
  ) {
    network.requireAlive();
    const plan = planPass(network, height, width, options);
    this.blocks = new Blocks(network.engine.memory);
    const address = room?.address ?? this.allocate(plan.bytes);
    ({ input: this.input, stages: this.maps } = plan.at(address, room?.kept));
  }

  /**
   * Computes the feature maps of an image [height][width][3] in [0,1].
   * @param visit called for each requested layer while its map is valid
   */
  forward(image: Float32Array, visit: Visit = () => {}): void {
    finish(this.forwardSteps(image, visit));
  }

  /** {@link forward} with a pause after each stage, whose maps are valid until the next one. */
  *forwardSteps(image: Float32Array, visit: Visit = () => {}): Generator<ComputedStage, void> {
    const { engine, stages, places, firstForward } = this.network;
    const { layers, keptFrom } = this.options;
    this.network.requireAlive();
    this.normalize(image);
    for (const [i, maps] of this.maps.slice(0, keptFrom).entries()) {
      const { height, width, channels, output, pooled } = maps;
      const { channelsIn, afterPool, averagePool, filters, bias } = stages[i];
      if (i > 0) {
        const before = this.maps[i - 1];
        convolve(engine, {
          height,
          width,
          input: afterPool ? before.pooled : before.output,
          output,
          filters,
          channelsIn,
          channelsOut: channels,
          bias,
          pooled,
          relu: !afterPool,
          average: averagePool,
          image: before.output ? undefined : { address: this.input, weights: firstForward },
        });
      } else if (output) {
        this.makeFirst(output);
      }
      for (const layer of layers) if (places.get(layer)?.stage === i) visit(layer, this.map(layer));
      yield { stage: i, ...maps };
    }
  }

  /** The feature map of a requested layer; valid while the plan keeps it. */
  map(layer: LayerName): FeatureMap {
    const { stage, part } = this.network.places.get(layer) as Place;
    const { height, width, channels, output, pooled } = this.maps[stage];
    if (part === 'pool')
      return {
        address: pooled,
        height: height >> 1,
        width: width >> 1,
        channels,
        relu: false,
        fromImage: false,
      };
    const fromImage = output === 0;
    return { address: output || this.input, height, width, channels, relu: part === 'relu', fromImage };
  }

  /**
   * Carries the gradients of layers back to the image.
   * @param layers the requested layers whose gradients `contribute` adds
   * @param gradient address to which the gradient with respect to the image, [height][width][3], is written
   */
  backward(layers: readonly LayerName[], contribute: Contribute, gradient: number): void {
    const { engine, places, padding, firstBackward } = this.network;
    this.network.requireAlive();
    const deepest = Math.max(-1, ...layers.map((layer) => places.get(layer)?.stage ?? -1));
    const contributeAt = (stage: number, part: Place['part'], to: number) => {
      for (const layer of layers) {
        const place = places.get(layer);
        if (place?.stage === stage && place.part === part) contribute(layer, this.map(layer), to);
      }
    };
    for (let i = deepest; i >= 0; i--) {
      this.gradientFromBehind(i, i < deepest, (to) => contributeAt(i, 'pool', to));
      contributeAt(i, 'relu', this.maps[i].gradient);
      contributeAt(i, 'conv', this.maps[i].gradient);
    }
    const { height, width } = this;
    if (deepest < 0) {
      engine.memory.floats(gradient, height * width * 3).fill(0);
      return;
    }
    const { gradient: from, channels } = this.maps[0];
    const share = Math.max(4, Math.ceil(height / bands));
    const args = [
      from,
      gradient,
      firstBackward,
      height,
      width,
      channels,
      0,
      share,
      paddings.indexOf(padding),
      0,
    ];
    engine.run('firstBackward', args, Math.ceil(height / share));
  }

  /** Frees the feature maps. Safe to call twice. */
  dispose(): void {
    this.blocks.dispose();
  }

  /**
   * Computes the gradient of a stage's output from that of the next stage; zeros if the next stage has none.
   * @param contributePooled adds to the gradient of the pooled output
   */
  private gradientFromBehind(i: number, behind: boolean, contributePooled: (to: number) => void): void {
    const { engine, stages } = this.network;
    const { memory } = engine;
    const { height, width, channels, output, gradient, pooledGradient } = this.maps[i];
    const back = (to: number, mask: number) => {
      const { height: h, width: w, gradient: input } = this.maps[i + 1];
      const { channelsIn, channelsOut } = stages[i + 1];
      const filters = stages[i + 1].backwardFilters();
      convolve(engine, {
        height: h,
        width: w,
        input,
        output: to,
        filters,
        mask,
        channelsIn: channelsOut,
        channelsOut: channelsIn,
      });
    };
    if (pooledGradient) {
      const half = [height >> 1, width >> 1];
      if (behind) back(pooledGradient, 0);
      else memory.floats(pooledGradient, half[0] * half[1] * channels).fill(0);
      contributePooled(pooledGradient);
      const average = Number(stages[i].averagePool);
      const args = [output, pooledGradient, gradient, height, width, channels, average];
      engine.run('poolBackward', args, half[0]);
    } else if (behind) {
      if (!output) this.makeFirst(gradient);
      back(gradient, output || gradient);
    } else {
      memory.floats(gradient, height * width * channels).fill(0);
    }
  }

  /** A block of the pass's own. */
  private allocate(bytes: number): number {
    const { height, width, options, network } = this;
    const { memory } = network.engine;
    const bytesAt = ([h, w]: Size) => planPass(network, h, w, options).bytes;
    requireRoomAt(roomIn(memory), 'An image', [height, width], bytesAt);
    return this.blocks.allocate(bytes);
  }

  /** Computes the first convolution of the image. */
  private makeFirst(to: number): void {
    const { engine, firstForward } = this.network;
    const { height, width, channels } = this.maps[0];
    engine.run('firstForward', [this.input, to, firstForward, height, width, channels, 0, 0, 0, 0], height);
  }

  /** Writes the normalised image inside its border. */
  private normalize(image: Float32Array): void {
    const { height, width } = this;
    const { scale, offset } = this.network.normalization;
    const padded = this.network.engine.memory.floats(this.input, (height + 2) * (width + 2) * 3);
    padded.fill(0);
    for (let y = 0; y < height; y++) {
      let to = ((y + 1) * (width + 2) + 1) * 3;
      for (let i = y * width * 3; i < (y + 1) * width * 3; i += 3, to += 3) {
        padded[to] = image[i] * scale[0] + offset[0];
        padded[to + 1] = image[i + 1] * scale[1] + offset[1];
        padded[to + 2] = image[i + 2] * scale[2] + offset[2];
      }
    }
    this.fillBorder(padded);
  }

  /** Fills the border of the normalised image by the network's padding; zeros are there. */
  private fillBorder(padded: Float32Array): void {
    const { height, width } = this;
    const { padding } = this.network;
    const [rows, columns] = [borderOf(padding, height), borderOf(padding, width)];
    if (!rows || !columns) return;
    const copy = (from: number, to: number, pixels = 1) =>
      padded.copyWithin(3 * to, 3 * from, 3 * (from + pixels));
    const row = width + 2;
    for (let at = row; at < row * (height + 1); at += row) {
      copy(at + 1 + columns.before, at);
      copy(at + 1 + columns.behind, at + 1 + width);
    }
    copy((1 + rows.before) * row, 0, row);
    copy((1 + rows.behind) * row, (1 + height) * row, row);
  }
}

/** Items of work of the image's gradient: bands of its rows. */
const bands = 24;
