import type { LayerName } from '../features/layers';
import type { Network, Place } from './network';

/** A feature map in the engine's memory: where it is, how large, and whether the layer is its ReLU. */
export interface Map2d {
  readonly address: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** True where the values are those before the ReLU and the layer is the one after it. */
  readonly relu: boolean;
}

/** Adds to the gradient of a feature map, at `gradient` and of the map's shape; called from the deepest layer to the first. */
export type Contribute = (layer: LayerName, map: Map2d, gradient: number) => void;

interface StageMap {
  readonly height: number;
  readonly width: number;
  /** The convolution's output before its ReLU. */
  readonly output: number;
  /** The pooled ReLU of it; 0 where nothing needs it. */
  pooled: number;
}

/**
 * The network at images of one size: memory for its feature maps, the way forward and the way back. Only outputs before ReLUs are kept:
 * the next convolution applies the ReLU as it reads.
 */
export class Pass {
  private readonly maps: StageMap[] = [];
  private readonly allocations: number[] = [];
  private readonly input: number;
  private readonly lastPlace: Place;
  private gradients: [number, number] | undefined;

  /** @param last the deepest layer that will be asked for */
  constructor(
    private readonly network: Network,
    readonly height: number,
    readonly width: number,
    last: LayerName,
  ) {
    const { engine, stages, places } = network;
    this.lastPlace = places.get(last) ?? { stage: -1, part: 'conv' };
    this.input = this.own(4 * (height + 2) * (width + 2) * 3);
    let [h, w] = [height, width];
    for (const [i, stage] of stages.slice(0, this.lastPlace.stage + 1).entries()) {
      if (stage.afterPool) {
        [h, w] = [h >> 1, w >> 1];
        this.maps[i - 1].pooled = this.own(4 * h * w * stages[i - 1].channelsOut);
      }
      // Products read rows of features by fours.
      this.maps.push({
        height: h,
        width: w,
        output: this.own(4 * (h * w + 4) * stage.channelsOut),
        pooled: 0,
      });
      engine.needScratch(scratchBytes(stage.channelsIn, stage.channelsOut));
    }
    const end = this.maps.at(-1);
    if (this.lastPlace.part === 'pool' && end) {
      end.pooled = this.own(
        4 * (end.height >> 1) * (end.width >> 1) * stages[this.lastPlace.stage].channelsOut,
      );
    }
  }

  /** Computes every feature map for an image [height][width][3] in [0,1]. */
  forward(image: Float32Array): void {
    const { engine, stages, firstForward } = this.network;
    this.normalize(image);
    for (const [i, { height, width, output, pooled }] of this.maps.entries()) {
      const stage = stages[i];
      if (i === 0) {
        engine.run(
          'firstForward',
          [this.input, output, firstForward, height, width, stage.channelsOut],
          height,
        );
      } else {
        const before = this.maps[i - 1];
        const input = stage.afterPool ? before.pooled : before.output;
        this.convolve(
          input,
          output,
          stage.filters,
          stage.bias,
          0,
          !stage.afterPool,
          height,
          width,
          stage.channelsIn,
          stage.channelsOut,
        );
      }
      if (pooled) this.pool('poolForward', i, 0);
    }
  }

  /** The feature map of a layer, valid until the next `forward`. */
  map(layer: LayerName): Map2d {
    const { stage, part } = this.network.places.get(layer) as Place;
    const { height, width, output, pooled } = this.maps[stage];
    const channels = this.network.stages[stage].channelsOut;
    if (part !== 'pool') return { address: output, height, width, channels, relu: part === 'relu' };
    return { address: pooled, height: height >> 1, width: width >> 1, channels, relu: false };
  }

  /**
   * The gradient with respect to the image [height][width][3] of what `contribute` adds to the gradients of `layers`.
   * @param gradient where it goes
   */
  backward(layers: readonly LayerName[], contribute: Contribute, gradient: number): void {
    const { engine, stages, places, firstBackward } = this.network;
    const at = (stage: number, part: Place['part']) =>
      layers.find((layer) => places.get(layer)?.stage === stage && places.get(layer)?.part === part);
    // Two buffers take turns: the gradient of a stage's output, and what is made of it.
    let [current, other] = this.gradientBuffers();
    const deepest = Math.max(-1, ...layers.map((layer) => places.get(layer)?.stage ?? -1));
    for (let i = deepest; i >= 0; i--) {
      const { height, width, output } = this.maps[i];
      const { channelsOut: channels } = stages[i];
      const next = i < deepest ? stages[i + 1] : undefined;
      const poolLayer = at(i, 'pool');
      const back = (from: number, to: number, mask: number) => {
        if (!next) return;
        const { height: h, width: w } = this.maps[i + 1];
        this.convolve(
          from,
          to,
          next.backwardFilters(),
          0,
          mask,
          false,
          h,
          w,
          next.channelsOut,
          next.channelsIn,
        );
      };
      if (next?.afterPool || poolLayer) {
        const pooledLength = (height >> 1) * (width >> 1) * channels;
        if (next?.afterPool) back(current, other, 0);
        else engine.memory.floats(other, pooledLength).fill(0);
        if (poolLayer) contribute(poolLayer, this.map(poolLayer), other);
        // A stage whose pooling is the last layer asked for has its gradient from there alone.
        this.pool('poolBackward', i, current, other);
      } else if (next) {
        back(current, other, output);
        [current, other] = [other, current];
      } else {
        engine.memory.floats(current, height * width * channels).fill(0);
      }
      for (const part of ['relu', 'conv'] as const) {
        const layer = at(i, part);
        if (layer) contribute(layer, this.map(layer), current);
      }
    }
    if (deepest < 0) engine.memory.floats(gradient, this.height * this.width * 3).fill(0);
    else
      engine.run(
        'firstBackward',
        [current, gradient, firstBackward, this.height, this.width, stages[0].channelsOut],
        this.height,
      );
  }

  /** Frees the feature maps. */
  dispose(): void {
    for (const address of this.allocations.splice(0)) this.network.engine.memory.release(address);
  }

  private own(bytes: number): number {
    const address = this.network.engine.memory.allocate(bytes);
    this.allocations.push(address);
    return address;
  }

  private gradientBuffers(): [number, number] {
    if (!this.gradients) {
      const floats = this.maps.map(
        ({ height, width }, i) => (height * width + 4) * this.network.stages[i].channelsOut,
      );
      const largest = 4 * Math.max(...floats, 1);
      this.gradients = [this.own(largest), this.own(largest)];
    }
    return this.gradients;
  }

  /** Writes the normalised image inside its border of zeros. */
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
  }

  private pool(
    kernel: 'poolForward' | 'poolBackward',
    stage: number,
    gradient: number,
    pooled = this.maps[stage].pooled,
  ): void {
    const { height, width, output } = this.maps[stage];
    const { engine, pooling, stages } = this.network;
    const channels = stages[stage].channelsOut;
    engine.run(
      kernel,
      [output, pooled, gradient, height, width, channels, Number(pooling === 'average')],
      height >> 1,
    );
  }

  private convolve(
    input: number,
    output: number,
    filters: number,
    bias: number,
    mask: number,
    relu: boolean,
    height: number,
    width: number,
    channelsIn: number,
    channelsOut: number,
  ): void {
    const [tilesX, tilesY] = [(width + 3) >> 2, (height + 3) >> 2];
    const tiles = tilesInBlock(channelsIn, channelsOut);
    // Blocks are rows of tiles where the picture is wide enough, several rows where it is not.
    const blocksX = Math.ceil(tilesX / tiles);
    const columns = Math.ceil(tilesX / blocksX);
    const rows = blocksX > 1 ? 1 : Math.max(1, Math.min(tilesY, Math.floor(tiles / tilesX)));
    this.network.engine.run(
      'convolve',
      [
        input,
        output,
        filters,
        bias,
        mask,
        Number(relu),
        height,
        width,
        channelsIn,
        channelsOut,
        tilesX,
        tilesY,
        columns,
        rows,
        blocksX,
      ],
      blocksX * Math.ceil(tilesY / rows),
    );
  }
}

/** Tiles whose 36 planes of input and output stay in the second-level cache while filters stream by; more where filters are large. */
function tilesInBlock(channelsIn: number, channelsOut: number): number {
  const channels = channelsIn + channelsOut;
  if (channels <= 128) return 32;
  return channels <= 512 ? 16 : 64;
}

/** The most scratch memory that any kernel wants for a stage. */
function scratchBytes(channelsIn: number, channelsOut: number): number {
  const tiles = tilesInBlock(channelsIn, channelsOut);
  const convolution =
    36 * 4 * (tiles + 4) * (channelsIn + channelsOut) + 36 * 4 * Math.max(channelsIn, channelsOut);
  const gram = 2 * 4 * 132 * channelsOut;
  return Math.max(convolution, gram) + 65536;
}
