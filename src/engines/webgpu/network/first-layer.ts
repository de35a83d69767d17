import type { Normalization } from '../../../features/network';
import type { Padding } from '../../../features/padding';
import type { Size } from '../../shared/fitting-size';
import { Shape } from '../device/pieces';
import { declare, each } from '../device/product';
import type { Work } from '../device/work';

/** The first convolution: three channels on one side are too few for products, so it is computed directly. */
export interface FirstLayer {
  /** Channels of the map, a multiple of 4. */
  readonly channels: number;
  /** The conversion of the image, which is done as it is read. */
  readonly normalization: Normalization;
  readonly padding: Padding;
}

/** Positions of a workgroup of the forward kernel: eight rows of sixteen. */
const [across, down] = [16, 8];

/** Here and of the way back, `shape` is [height, width, first row of workgroups]. */
export const firstForwardBindings = ['image', 'filters', 'bias', 'output', 'shape'] as const;

/** The work of a first convolution or of its way back, in units of rows of workgroups of so many positions. */
const workOf = ([height, width]: Size, flop: number, columns: number, rows: number): Work => ({
  flop,
  units: Math.ceil(height / rows),
  part: (from, count) => ({
    grid: [Math.ceil(width / columns), count, 1],
    shape: new Shape(height, width, from),
  }),
});

const flopOf = ({ channels }: FirstLayer, [height, width]: Size): number =>
  2 * 9 * 3 * channels * height * width;

export const firstForwardWork = (layer: FirstLayer, size: Size): Work =>
  workOf(size, flopOf(layer, size), across, down);

/**
 * The map [height][width][channels] of an image [height][width][3], by filters [27][channels]. An invocation computes
 * eight positions of a row by four channels at a time.
 */
export function firstForward(layer: FirstLayer): string {
  const { channels, normalization, padding } = layer;
  const channels4 = channels / 4;
  const [patchWidth, patchHeight] = [across + 2, down + 2];
  const patch = patchWidth * patchHeight * 3;
  return `
${declare(firstForwardBindings, ['output'], { image: 'f32' })}
${constants(normalization)}
var<workgroup> patch_: array<f32, ${patch}>;
${sourceOf('row', padding)}
${sourceOf('column', padding)}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let height = shape.x; let width = shape.y; let firstRow = (group.y + shape.z) * ${down}u;
  for (var i = index; i < ${patch}u; i += 256u) {
    let sy = rowOf(i32(firstRow + i / ${patchWidth * 3}u) - 1, i32(height));
    let sx = columnOf(i32(group.x * ${across}u + (i % ${patchWidth * 3}u) / 3u) - 1, i32(width));
    let c = i % 3u;
    var value = 0.0;
    if (sy >= 0 && sx >= 0) { value = image[(u32(sy) * width + u32(sx)) * 3u + c] * scale_[c] + offset_[c]; }
    patch_[i] = value;
  }
  workgroupBarrier();
  for (var unit = index; unit < ${2 * down * channels4}u; unit += 256u) {
    let n4 = unit % ${channels4}u;
    let row = (unit / ${channels4}u) / 2u; let x0 = ((unit / ${channels4}u) % 2u) * 8u;
    let b = bias[n4];
    ${each(8, (i) => `var c_${i} = b;`)}
    for (var ky = 0u; ky < 3u; ky++) {
      for (var c = 0u; c < 3u; c++) {
        let at = (row + ky) * ${patchWidth * 3}u + x0 * 3u + c;
        ${each(10, (i) => `let p_${i} = patch_[at + ${3 * i}u];`)}
        ${each(
          3,
          (kx) => `{ let f = filters[((ky * 3u + ${kx}u) * 3u + c) * ${channels4}u + n4];
          ${each(8, (i) => `c_${i} += p_${i + kx} * f;`)} }`,
        )}
      }
    }
    let y = firstRow + row; let x = group.x * ${across}u + x0;
    ${each(
      8,
      (i) => `if (y < height && x + ${i}u < width) {
      output[(y * width + x + ${i}u) * ${channels4}u + n4] = c_${i}; }`,
    )}
  }
}`;
}

/** Names of the bindings: without `gradient` there is no map to come back from, without `added` nothing to add. */
export const firstBackwardBindings = ({ gradient, added }: FirstBackward): readonly string[] => [
  ...(gradient ? ['gradient', 'filters'] : []),
  ...(added ? ['added'] : []),
  'output',
  'shape',
];

/** What the gradient of the image is made of. */
export interface FirstBackward extends FirstLayer {
  /** Whether the map has a gradient. */
  readonly gradient: boolean;
  /** Whether a gradient of the image itself is added. */
  readonly added: boolean;
}

/** Positions along each side of a workgroup of the way back. */
const side = 8;

export const firstBackwardWork = (layer: FirstBackward, size: Size): Work =>
  workOf(size, layer.gradient ? flopOf(layer, size) : 0, side, side);

/**
 * The gradient of the image, from that of the map by filters [9][3][channels], which are reversed and scaled. A pixel
 * also gets what the pixels beyond the border get that are copies of it.
 */
export function firstBackward(layer: FirstBackward): string {
  const { channels, padding, gradient, added } = layer;
  const channels4 = channels / 4;
  const sum = `
  for (var i = 0u; i < 3u; i++) {
    let py = copyOfRow(y, i, height);
    if (py < -1) { continue; }
    for (var j = 0u; j < 3u; j++) {
      let px = copyOfColumn(x, j, width);
      if (px < -1) { continue; }
      for (var tap = 0u; tap < 9u; tap++) {
        let sy = py + i32(tap / 3u) - 1; let sx = px + i32(tap % 3u) - 1;
        if (sy < 0 || sy >= height || sx < 0 || sx >= width) { continue; }
        let from_ = u32(sy * width + sx) * ${channels4}u;
        let by = tap * ${3 * channels4}u;
        for (var n = 0u; n < ${channels4}u; n++) {
          let g = gradient[from_ + n];
          value += vec3f(dot(g, filters[by + n]), dot(g, filters[by + ${channels4}u + n]),
            dot(g, filters[by + ${2 * channels4}u + n]));
        }
      }
    }
  }`;
  return `
${declare(firstBackwardBindings(layer), ['output'], { added: 'f32', output: 'f32' })}
${copiesOf('Row', padding)}
${copiesOf('Column', padding)}
@compute @workgroup_size(${side}, ${side})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let height = i32(shape.x); let width = i32(shape.y);
  let y = i32(id.y + ${side}u * shape.z); let x = i32(id.x);
  if (y >= height || x >= width) { return; }
  var value = vec3f();
  ${gradient ? sum : ''}
  let to = u32(y * width + x) * 3u;
  ${each(3, (c) => `output[to + ${c}u] = value[${c}]${added ? ` + added[to + ${c}u]` : ''};`)}
}`;
}

const constants = ({ scale, offset }: Normalization) => `
const scale_ = array<f32, 3>(${scale.join(', ')});
const offset_ = array<f32, 3>(${offset.join(', ')});`;

/** A function from a line to the one that is read for it, -1 for zeros. */
function sourceOf(name: 'row' | 'column', padding: Padding): string {
  const [before, behind] = padding === 'zero' ? ['-1', '-1'] : ['step', 'extent - 1 - step'];
  return `fn ${name}Of(i: i32, extent: i32) -> i32 {
  ${padding === 'zero' ? '' : stepOf(padding)}
  if (i < 0) { return ${before}; }
  // Beyond the line behind the last one lie positions that are not computed.
  if (i >= extent) { return select(-1, ${behind}, i == extent); }
  return i;
}`;
}

/** A function to the lines that are copies of line `i`: itself, the one before the first, the one behind the last. */
function copiesOf(name: 'Row' | 'Column', padding: Padding): string {
  const hasCopies = padding !== 'zero';
  return `fn copyOf${name}(i: i32, which: u32, extent: i32) -> i32 {
  ${hasCopies ? stepOf(padding) : ''}
  if (which == 0u) { return i; }
  if (which == 1u) { return select(-2, -1, ${hasCopies && 'i == step'}); }
  return select(-2, extent, ${hasCopies && 'i == extent - 1 - step'});
}`;
}

/** How far from the border the line is that stands beyond it. */
const stepOf = (padding: Padding) =>
  `let step = ${padding === 'reflect' ? 'select(0, 1, extent > 1)' : '0'};`;
