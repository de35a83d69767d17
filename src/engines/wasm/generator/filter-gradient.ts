import type { Size } from '../../shared/fitting-size';
import type { KernelRunner } from '../runtime/kernel-runner';
import { extentAt } from './extents';
import type { Convolution } from './graph';
import { windowArguments, windowScratch } from './run-sweep';
import { filterSweep, type Sweep } from './sweeps';

/** A convolution as the kernel of filter gradients sees it: windows of one map, each times a pixel of another. */
interface Products {
  readonly sweep: Sweep;
  /** Channels of the windows and of the pixels, in memory. */
  readonly windowChannels: number;
  readonly channels: number;
  /** Height and width of the map of pixels. */
  readonly height: number;
  readonly width: number;
  /** Values of a window's row, rounded up to eight. */
  readonly run: number;
  /** Rows of an item, and items. */
  readonly share: number;
  readonly items: number;
}

function productsOf(convolution: Convolution, size: Size): Products {
  const { step, input, output } = convolution;
  // A transposed convolution is the gradient of a convolution: its output has the windows, its input the pixels.
  const transposed = step.op === 'transposedConv';
  const [windows, pixels] = transposed ? [output, input[0].term.map] : [input[0].term.map, output];
  const [height, width] = extentAt(size, pixels);
  const share = Math.max(4, Math.ceil(height / 16));
  return {
    sweep: filterSweep(convolution),
    windowChannels: windows.stored,
    channels: pixels.stored,
    height,
    width,
    run: 8 * Math.ceil((step.size * windows.stored) / 8),
    share,
    items: Math.ceil(height / share),
  };
}

/** Floats of the sums of all items, and of their total. */
export function filterFloats(convolution: Convolution, size: Size): number {
  const products = productsOf(convolution, size);
  return (products.items + 1) * totalFloats(convolution, products);
}

/** Addresses of what a filter gradient is computed from. */
export interface FilterGradientArguments {
  /** Reader of the map with windows. */
  readonly windows: number;
  /** The map of pixels. */
  readonly pixels: number;
  /** Memory of {@link filterFloats}. */
  readonly sums: number;
}

/** Adds the gradient of a convolution's kernel to `to`, [size][size][channelsIn][channelsOut]. */
export function addFilterGradient(
  engine: KernelRunner,
  convolution: Convolution,
  size: Size,
  { windows, pixels, sums }: FilterGradientArguments,
  to: Float32Array,
): void {
  const products = productsOf(convolution, size);
  const { sweep, windowChannels, channels, height, width, run, share, items } = products;
  engine.needScratch(windowScratch(sweep, width, windowChannels, channels));
  engine.run(
    'generatorFilters',
    [...windowArguments(sweep, windows), pixels, sums, height, width, channels, run, share],
    items,
  );
  const length = totalFloats(convolution, products);
  const total = sums + 4 * items * length;
  engine.run('generatorTotal', [sums, items, length, totalShare, total], Math.ceil(length / totalShare));
  const found = engine.memory.floats(total, length);
  const { op, size: taps, channelsIn, channelsOut } = convolution.step;
  // Steps of the found values along the kernel's input and output channels.
  const [inStep, outStep] = op === 'conv' ? [channels, 1] : [1, channels];
  let at = 0;
  for (let ky = 0; ky < taps; ky++) {
    for (let kx = 0; kx < taps; kx++) {
      const tap = (ky * run + kx * windowChannels) * channels;
      for (let k = 0; k < channelsIn; k++) {
        for (let n = 0; n < channelsOut; n++) to[at++] += found[tap + k * inStep + n * outStep];
      }
    }
  }
}

const totalFloats = ({ step }: Convolution, { run, channels }: Products): number =>
  step.size * run * channels;

/** Values of an item of `generatorTotal`. */
const totalShare = 4096;
