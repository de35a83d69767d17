import { padsOf } from '../../../features/generator-steps';
import type { Padding } from '../../../features/padding';
import type { Rows } from '../../shared/bands';
import type { Convolution } from './graph';

/** A pass of the convolution kernel: which part of a kernel it multiplies with, and which outputs it computes. */
export interface Sweep {
  readonly rows: Taps;
  readonly columns: Taps;
  /** Distance of neighbouring windows. */
  readonly stride: number;
  readonly padding: Padding;
}

/** Rows or columns of a kernel in the order in which a window meets them. */
export interface Taps {
  /** Those that are multiplied with the same position, and so added up before. */
  readonly taps: readonly (readonly number[])[];
  /** Positions before the first that the first window covers; less than 0 leaves some out. */
  readonly pad: number;
  /** The first output that is computed, and the distance of the next one. */
  readonly first: number;
  readonly step: number;
}

/** The forward pass of a convolution. */
export function forwardSweeps({ step, enlarged }: Convolution): readonly Sweep[] {
  if (step.op === 'transposedConv') return spreading(step.size, step.pad);
  if (enlarged) return enlarging(edgePadding(step.padding));
  const [pad] = padsOf(step);
  return [gathering(singly(step.size), pad, step.stride ?? 1, step.padding)];
}

/**
 * The gradient of a convolution's input, from that of its output. With a padding other than zero, it is the gradient of
 * the padded input.
 */
export function backwardSweeps(convolution: Convolution): readonly Sweep[] {
  const { step, enlarged } = convolution;
  const { size } = step;
  if (step.op === 'transposedConv') return [gathering(singly(size), step.pad, 2, 'zero')];
  const [before] = inputPads(convolution);
  // What `enlarging` spreads: position i is read by outputs 2 i - 1 to 2 i + 2.
  if (enlarged) return [gathering([[2], [1, 2], [0, 1], [0]], 1 + 2 * before, 2, 'zero')];
  const inside = padsOf(step)[0] - before;
  if (step.stride === 2) return spreading(size, inside);
  const taps: Taps = { taps: singly(size).reverse(), pad: size - 1 - inside, first: 0, step: 1 };
  return [{ rows: taps, columns: taps, stride: 1, padding: 'zero' }];
}

/** The windows that the filters' gradient of a convolution is summed over. */
export function filterSweep({ step }: Convolution): Sweep {
  if (step.op === 'transposedConv') return gathering(singly(step.size), step.pad, 2, 'zero');
  return gathering(singly(step.size), padsOf(step)[0], step.stride ?? 1, step.padding);
}

/**
 * Rows and columns before and behind the input whose gradient {@link backwardSweeps} computes too; it belongs to what
 * the padding shows there.
 */
export function inputPads({ step, enlarged }: Convolution): readonly [before: number, behind: number] {
  if (step.op === 'transposedConv' || step.padding === 'zero') return [0, 0];
  return enlarged ? [1, 1] : padsOf(step);
}

/** The padding of a convolution's input, as its sweeps read it. */
export function inputPadding({ step, enlarged }: Convolution): Padding {
  if (step.op === 'transposedConv') return 'zero';
  return enlarged ? edgePadding(step.padding) : step.padding;
}

/** Around a map that is read at twice its size, one position of the mirror image is the nearest pixel. */
const edgePadding = (padding: Padding): Padding => (padding === 'zero' ? 'zero' : 'replicate');

/** The outputs of a sweep among rows of a map. */
export const sweepRows = ({ first, step }: Taps, { from, to }: Rows): Rows => ({
  from: Math.max(0, Math.ceil((from - first) / step)),
  to: Math.max(0, Math.ceil((to - first) / step)),
});

/** Outputs i are sums of input i * stride + k - pad times tap k. */
function gathering(taps: Taps['taps'], pad: number, stride: number, padding: Padding): Sweep {
  const along: Taps = { taps, pad, first: 0, step: 1 };
  return { rows: along, columns: along, stride, padding };
}

/**
 * Inputs i times tap k are added to output 2 i + k - pad: for even and odd outputs, convolutions with every other tap.
 */
function spreading(size: number, pad: number): readonly Sweep[] {
  const halves = [0, 1].map((first): Taps => {
    const parity = (first + pad) & 1;
    const taps = singly(size)
      .filter(([k]) => (k & 1) === parity)
      .reverse();
    return { taps, pad: taps.length - 1 - (first + pad - parity) / 2, first, step: 2 };
  });
  return everyPair(halves, 'zero');
}

/**
 * A 3x3 convolution of a map at twice its size: an output's window of three has two different positions, so that four
 * convolutions of two by two do with 4 / 9 of the work.
 */
const enlarging = (padding: Padding): readonly Sweep[] =>
  everyPair(
    [
      { taps: [[0], [1, 2]], pad: 1, first: 0, step: 2 },
      { taps: [[0, 1], [2]], pad: 0, first: 1, step: 2 },
    ],
    padding,
  );

const everyPair = (halves: readonly Taps[], padding: Padding): readonly Sweep[] =>
  halves.flatMap((rows) => halves.map((columns): Sweep => ({ rows, columns, stride: 1, padding })));

const singly = (size: number): number[][] => Array.from({ length: size }, (_, k) => [k]);
