import type { KernelRunner } from '../runtime/kernel-runner';

/**
 * Arguments of {@link convolve}: a 3x3 convolution with zero padding, of maps given by their addresses; 0 stands for
 * none.
 */
export interface ConvolveArguments {
  readonly height: number;
  readonly width: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** [height][width][channelsIn]; not read if `image` is given. */
  readonly input: number;
  /** [height][width][channelsOut] */
  readonly output: number;
  /** Address of filters made by `KernelRunner.filters`. */
  readonly filters: number;
  readonly bias?: number;
  /** A map of the output's shape: where it is not positive, the output is 0. */
  readonly mask?: number;
  /** Where the pooled ReLU of the output is written. @default nowhere */
  readonly pooled?: number;
  /** Whether pooling takes means, not maxima. @default false */
  readonly average?: boolean;
  /** Whether the input goes through a ReLU as it is read. @default false */
  readonly relu?: boolean;
  /** The normalised image with its border, and the first convolution's weights: the input is computed from them. */
  readonly image?: { readonly address: number; readonly weights: number } | undefined;
}

/** Runs a convolution on all threads. Each needs scratch memory of {@link scratchBytes}. */
export function convolve(engine: KernelRunner, convolution: ConvolveArguments): void {
  const { height, width, channelsIn, channelsOut, input, output, filters, image } = convolution;
  const { bias = 0, mask = 0, pooled = 0, average = false, relu = false } = convolution;
  const [tilesX, tilesY] = [(width + 3) >> 2, (height + 3) >> 2];
  // Small maps are cut into smaller blocks, so that every thread gets some.
  const fair = Math.ceil((tilesX * tilesY) / (2 * engine.threads));
  const tiles = Math.min(tilesInBlock(channelsIn, channelsOut), Math.max(8, fair));
  // A block is part of one row of tiles, in whole groups of four; or several rows where the map is narrow.
  const columns = Math.min(tilesX, 4 * Math.ceil(tilesX / Math.ceil(tilesX / tiles) / 4));
  const blocksX = Math.ceil(tilesX / columns);
  const rows = blocksX > 1 ? 1 : Math.max(1, Math.min(tilesY, Math.floor(tiles / tilesX)));
  const maps = [input, output, filters, bias, mask, Number(relu), height, width, channelsIn, channelsOut];
  const blocks = [tilesX, tilesY, columns, rows, blocksX];
  const rest = [pooled, Number(average), image?.address ?? 0, image?.weights ?? 0];
  engine.run('convolve', [...maps, ...blocks, ...rest], blocksX * Math.ceil(tilesY / rows));
}

/**
 * Tiles in a block. Their 36 planes of input and output, at most 0.6 MB, stay in the second-level cache while the
 * filters are read once. Filters that are larger than caches are read less often with larger blocks.
 */
function tilesInBlock(channelsIn: number, channelsOut: number): number {
  const channels = channelsIn + channelsOut;
  return channels <= 512 ? 8 * Math.floor(512 / channels) : 64;
}

/** Upper bound of the scratch memory of the kernels for a stage, in bytes. */
export function scratchBytes(channelsIn: number, channelsOut: number): number {
  const tiles = tilesInBlock(channelsIn, channelsOut);
  const channels = channelsIn + channelsOut;
  const planes = 36 * 4 * (tiles + 4) * channels;
  const edges = 4 * 36 * 4 * Math.max(channelsIn, channelsOut);
  // The first convolution at a block's pixels and those around them, for tiles in one row or in several.
  const around = 4 * 36 * tiles * channelsIn;
  const gram = 2 * 4 * 132 * channelsOut;
  return Math.max(planes + edges + around, gram) + 65536;
}
