import type { GeneratorConvStep, TransposedConvStep } from '../../../features/generator-network';
import { padsOf } from '../../../features/generator-steps';
import type { Padding } from '../../../features/padding';

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
  readonly indices: readonly number[];
  /** Positions before the first that the first window covers; less than 0 leaves some out. */
  readonly pad: number;
  /** The first output that is computed, and the distance of the next one. */
  readonly first: number;
  readonly step: number;
}

/** The forward pass of a step. */
export function forwardSweeps(step: GeneratorConvStep | TransposedConvStep): readonly Sweep[] {
  if (step.op === 'transposedConv') return spreading(step.size, step.pad);
  const [pad] = padsOf(step);
  return [gathering(step.size, pad, step.stride ?? 1, step.padding)];
}

/**
 * The gradient of a step's input, from that of its output. For a convolution with a padding other than zero, it is the
 * gradient of the padded input.
 */
export function backwardSweeps(step: GeneratorConvStep | TransposedConvStep): readonly Sweep[] {
  const { size } = step;
  if (step.op === 'transposedConv') return [gathering(size, step.pad, 2, 'zero')];
  const inside = step.padding === 'zero' ? padsOf(step)[0] : 0;
  if (step.stride === 2) return spreading(size, inside);
  const taps: Taps = { indices: indicesOf(size).reverse(), pad: size - 1 - inside, first: 0, step: 1 };
  return [{ rows: taps, columns: taps, stride: 1, padding: 'zero' }];
}

/** Outputs i are sums of input i * stride + k - pad times tap k. */
export function gathering(size: number, pad: number, stride: number, padding: Padding): Sweep {
  const taps: Taps = { indices: indicesOf(size), pad, first: 0, step: 1 };
  return { rows: taps, columns: taps, stride, padding };
}

/**
 * Inputs i times tap k are added to output 2 i + k - pad: for even and odd outputs, convolutions with every other tap.
 */
function spreading(size: number, pad: number): readonly Sweep[] {
  const halves = [0, 1].map((first): Taps => {
    const parity = (first + pad) & 1;
    const indices = indicesOf(size)
      .filter((k) => (k & 1) === parity)
      .reverse();
    return { indices, pad: indices.length - 1 - (first + pad - parity) / 2, first, step: 2 };
  });
  return halves.flatMap((rows) =>
    halves.map((columns): Sweep => ({ rows, columns, stride: 1, padding: 'zero' })),
  );
}

const indicesOf = (size: number): number[] => Array.from({ length: size }, (_, k) => k);
