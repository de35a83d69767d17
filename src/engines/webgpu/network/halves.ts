import { encodeFloat16 } from '../../../weights/tensor-encoding';
import type { Grid } from '../device/gpu';
import { declare, totalOf } from '../device/product';

/*
 * Mixed precision: a convolution's operands are rounded to 16 bits, of which a number has 11, and multiplied and added
 * up over some channels in them; sums of these, and everything else, have 32 bits. 16 bits hold magnitudes from 2^-14
 * to 2^16 only, and gradients may have any: operands are scaled by powers of two, filters when they are uploaded, maps
 * as they are read, by their greatest magnitude, which a pass before the convolution finds. No sum can overflow, and
 * what is smaller than the map's greatest magnitude by 2^-20 or more is still exact to 11 bits.
 */

/** Sums in 16 bits have at most so many summands. */
export const shortRun = 16;

/**
 * The exponent of two that scaled operands of a map stay below: {@link shortRun} of them, times filters of at most 1,
 * do not reach 2^16.
 */
const mostExponent = 11;

/** Magnitudes that a pass leaves: one of each of its workgroups. */
const groups = 64;

/** Bytes of what {@link rangeSource} writes. */
export const rangeBytes = 4 * groups;

/** `shape` is [number of values over 4]. */
export const rangeBindings = ['input', 'range', 'shape'] as const;

export const rangeGrid: Grid = [groups, 1, 1];

/** The greatest magnitudes of a map, of each workgroup's share. */
export const rangeSource = (): string => `
${declare(rangeBindings, ['range'], { range: 'f32' })}
var<workgroup> parts_: array<f32, 256>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  var top = vec4f();
  for (var i = group.x * 256u + index; i < shape.x; i += ${groups * 256}u) { top = max(top, abs(input[i])); }
  ${totalOf('max(max(top.x, top.y), max(top.z, top.w))', 256, 'total', (a, b) => `max(${a}, ${b})`)}
  if (index == 0u) { range[group.x] = total; }
}`;

/**
 * Statements that declare `scale`, by which values of the map are multiplied before they are rounded, and `unscale`, by
 * which sums of products are. Names in scope: `range`, as {@link rangeSource} leaves it, and `exponent_`, that of the
 * filters' scale.
 *
 * @param gain the factor by which values may grow between map and operand
 */
export const scales = (gain = 1): string => `
  var tops = vec4f();
  for (var i = 0u; i < ${groups / 4}u; i++) { tops = max(tops, range[i]); }
  let top_ = bitcast<u32>(max(max(tops.x, tops.y), max(tops.z, tops.w)));
  let by_ = clamp(${mostExponent - 1 - Math.ceil(Math.log2(gain))} - (i32(top_ >> 23u) - 127), -60, 60);
  let scale = ldexp(1.0, by_);
  let unscale = ldexp(1.0, exponent_ - by_);`;

/** Numbers in 16 bits: `halves` are `values` divided by 2^exponent, so that none is greater than 1. */
interface Halves {
  /** Two numbers each, the first in the lower bits. */
  readonly halves: Uint32Array;
  readonly exponent: number;
}

/** Scales and rounds numbers, an even number of them, to the nearest ones of 16 bits, ties to even. */
export function halvesOf(values: Float32Array): Halves {
  let top = 0;
  for (const value of values) top = Math.max(top, Math.abs(value));
  const exponent = top > 0 ? Math.ceil(Math.log2(top)) : 0;
  const factor = 2 ** -exponent;
  const scaled = values.map((value) => value * factor);
  return { halves: new Uint32Array(encodeFloat16(scaled).buffer), exponent };
}
