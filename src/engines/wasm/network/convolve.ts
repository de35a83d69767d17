import type { KernelRunner } from '../runtime/kernel-runner';

/** A 3x3 convolution with zero padding, of maps in the engine's memory; addresses, 0 for none. */
export interface ConvolveArguments {
  readonly height: number;
  readonly width: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** [height][width][channelsIn]; not read with `image`. */
  readonly input: number;
  /** [height][width][channelsOut] */
  readonly output: number;
  /** Of `KernelRunner.filters`. */
  readonly filters: number;
  readonly bias?: number;
  /** Of the output's shape: where it is not positive the output is 0. */
  readonly mask?: number;
  /** Where the pooled ReLU of the output goes. @default nowhere */
  readonly pooled?: number;
  /** Whether `pooled` has means, not maxima. @default false */
  readonly average?: boolean;
  /** Whether inputs below 0 count as 0. @default false */
  readonly relu?: boolean;
  /** The normalised image with its border and the first convolution's weights: the input is made of them. */
  readonly image?: { readonly address: number; readonly weights: number } | undefined;
}

/** Runs a convolution on all threads. Each needs {@link scratchBytes}. */
export function convolve(engine: KernelRunner, convolution: ConvolveArguments): void {
  const { height, width, channelsIn, channelsOut, input, output, filters, image } = convolution;
  const { bias = 0, mask = 0, pooled = 0, average = false, relu = false } = convolution;
  const [tilesX, tilesY] = [(width + 3) >> 2, (height + 3) >> 2];
  // Small maps are cut finer, so that every thread gets some.
  const fair = Math.ceil((tilesX * tilesY) / (2 * engine.threads));
  const tiles = Math.min(tilesInBlock(channelsIn, channelsOut), Math.max(8, fair));
  // Blocks are rows of tiles where the picture is wide enough, in whole groups of four; several rows where it is not.
  const columns = Math.min(tilesX, 4 * Math.ceil(tilesX / Math.ceil(tilesX / tiles) / 4));
  const blocksX = Math.ceil(tilesX / columns);
  const rows = blocksX > 1 ? 1 : Math.max(1, Math.min(tilesY, Math.floor(tiles / tilesX)));
  const maps = [input, output, filters, bias, mask, Number(relu), height, width, channelsIn, channelsOut];
  const blocks = [tilesX, tilesY, columns, rows, blocksX];
  const rest = [pooled, Number(average), image?.address ?? 0, image?.weights ?? 0];
  engine.run('convolve', [...maps, ...blocks, ...rest], blocksX * Math.ceil(tilesY / rows));
}

/**
 * Tiles whose 36 planes of input and output, at most 0.6 MB, stay in the second-level cache while filters stream by.
 * Where filters are larger than caches, more, so that they stream by less often.
 */
function tilesInBlock(channelsIn: number, channelsOut: number): number {
  const channels = channelsIn + channelsOut;
  return channels <= 512 ? 8 * Math.floor(512 / channels) : 64;
}

/** The most scratch memory that any kernel wants for a stage. */
export function scratchBytes(channelsIn: number, channelsOut: number): number {
  const tiles = tilesInBlock(channelsIn, channelsOut);
  const channels = channelsIn + channelsOut;
  const planes = 36 * 4 * (tiles + 4) * channels;
  const edges = 4 * 36 * 4 * Math.max(channelsIn, channelsOut);
  // The first convolution at a block's pixels and those around, whether tiles lie in one row or in several.
  const around = 4 * 36 * tiles * channelsIn;
  const gram = 2 * 4 * 132 * channelsOut;
  return Math.max(planes + edges + around, gram) + 65536;
}
