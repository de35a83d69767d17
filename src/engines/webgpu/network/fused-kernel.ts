import type { Size } from '../../shared/fitting-size';
import type { Grid } from '../device/gpu';
import { declare, each } from '../device/product';
import { scales, shortRun } from './halves';
import {
  finish,
  finishBindings,
  gainOf,
  readWindow,
  transform,
  type WinogradKernel,
  winogradMatrices,
} from './winograd';

/*
 * Winograd's F(2x2) in one kernel: 2.25 times fewer products than nine taps, and nothing but maps passes through
 * memory. A workgroup makes 8x4 windows of 2x2 results of 32 channels: sixteen invocations for each of the sixteen
 * products of a window, each with a block of 8 windows by 8 channels. It takes four channels of the input at a time:
 * 16 KiB of a workgroup's memory and 256 invocations, which every device has.
 */

const [windowsAcross, windowsDown, columns4] = [8, 4, 8] as const;
const windows = windowsAcross * windowsDown;

/** `shape` is [height, width, exponent of filters in 16 bits, first row of workgroups]. */
export const fusedBindings = (kernel: WinogradKernel): readonly string[] => [
  'input',
  'filters',
  ...(kernel.halves ? ['range'] : []),
  ...finishBindings(kernel),
  'shape',
];

/** Workgroups of the kernel. */
export const fusedGrid = (channels: number, [height, width]: Size): Grid => [
  Math.ceil(width / (2 * windowsAcross)),
  Math.ceil(height / (2 * windowsDown)),
  Math.ceil(channels / (4 * columns4)),
];

/** The convolution by filters [16][channelsIn][channels]. */
export function fusedSource(kernel: WinogradKernel): string {
  const { channelsIn, channels, relu, halves } = kernel;
  const { bt, at } = winogradMatrices(2);
  const [in4, out4] = [channelsIn / 4, channels / 4];
  const names = fusedBindings(kernel);
  // Invocations of two products read at once: those of the odd one are shifted to other banks of memory.
  const left = (position: string, window: string) =>
    `(${position}) * ${windows}u + (((${window}) + 4u * ((${position}) & 1u)) & ${windows - 1}u)`;
  const right = (position: string, k: string, column4: string) =>
    `${16 * windows}u + ((${position}) * 4u + ${k}) * ${columns4}u + ((${column4}) ^ (4u * ((${position}) & 1u)))`;
  const isPartial = channels % (4 * columns4) !== 0;
  // In 16 bits operands take half of the memory, and sums on their way, half as many at a time, the other half.
  const operands = halves ? 'operands_' : 'memory_';
  const operand = (value: string) => (halves ? `vec4h(scale * ${value})` : value);
  const load = `${operands}[${right('p', 'k', 'column4')}] =`;
  const filter = `filters[(p * ${channelsIn}u + 4u * step + k) * ${out4}u + n0 + column4]`;
  const parts = halves ? 8 : 4;
  const rows = 16 / parts;
  /** A part of each invocation's sums: those of some windows at four channels. */
  const part = (q: number) =>
    each(rows, (i) => {
      const sum = `c_${rows * (q % (parts / 2)) + i}_${Math.floor((2 * q) / parts)}`;
      return `memory_[(position * ${4 * rows}u + y + ${4 * i}u) * 4u + x] = ${sum};`;
    });
  const eachSum = (line: (i: number, j: number) => string) => each(8, (i) => each(2, (j) => line(i, j)));
  const lengthen = eachSum((i, j) => `c_${i}_${j} += vec4f(h_${i}_${j}); h_${i}_${j} = vec4h();`);
  const run = shortRun / 4;
  return `
${halves ? 'enable f16;' : ''}
${declare(names, ['output', 'pool'], halves ? { filters: 'vec4h' } : {})}
// The transformed input and filters of a step; then sums on their way between invocations.
${halves ? `var<workgroup> operands_: array<vec4h, ${16 * windows + 64 * columns4}>;` : ''}
var<workgroup> memory_: array<vec4f, ${halves ? 64 * 4 * rows : 16 * windows + 64 * columns4}>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let height = shape.x; let width = shape.y;
  let position = index / 16u; let x = index % 4u; let y = (index / 4u) % 4u; let n0 = group.z * ${columns4}u;
  let x0 = group.x * ${windowsAcross}u; let y0 = (group.y + shape.w) * ${windowsDown}u;
  ${halves ? `let exponent_ = bitcast<i32>(shape.z); ${scales(gainOf(2))}` : ''}
  ${eachSum((i, j) => `var c_${i}_${j} = vec4f(); ${halves ? `var h_${i}_${j} = vec4h();` : ''}`)}
  for (var step = 0u; step < ${in4}u; step++) {
    if (index < ${windows}u) {
      let y = i32(2u * (y0 + index / ${windowsAcross}u)) - 1;
      let x = i32(2u * (x0 + index % ${windowsAcross}u)) - 1;
      ${readWindow(4, in4, 'step', relu, 'vec4f')}
      ${transform(bt, (p, q) => `d_${p}_${q}`, 'r')}
      ${each(4, (p) => each(4, (q) => `${operands}[${left(`${4 * p + q}u`, 'index')}] = ${operand(`r_${p}_${q}`)};`))}
    } else {
      for (var i = index - ${windows}u; i < ${64 * columns4}u; i += ${256 - windows}u) {
        let p = i / ${4 * columns4}u; let k = (i / ${columns4}u) % 4u; let column4 = i % ${columns4}u;
        ${isPartial ? `if (n0 + column4 < ${out4}u) { ${load} ${filter}; }` : `${load} ${filter};`}
      }
    }
    workgroupBarrier();
    ${each(8, (i) => `let a_${i} = ${operands}[${left('position', `y + ${4 * i}u`)}];`)}
    ${each(
      4,
      (k) => `{
      ${each(2, (j) => `let b_${j} = ${operands}[${right('position', `${k}u`, `x + ${4 * j}u`)}];`)}
      ${eachSum((i, j) => `${halves ? 'h' : 'c'}_${i}_${j} += a_${i}.${'xyzw'[k]} * b_${j};`)}
    }`,
    )}
    ${halves ? `if (step % ${run}u == ${run - 1}u || step + 1u == ${in4}u) { ${lengthen} }` : ''}
    workgroupBarrier();
  }
  ${halves ? eachSum((i, j) => `c_${i}_${j} *= unscale;`) : ''}
  // Sums change hands a part at a time, then become results: a loop, because unrolled it compiles for seconds.
  for (var part = 0u; part < ${parts}u; part++) {
    ${each(parts, (q) => `${q > 0 ? 'else ' : ''}${q < parts - 1 ? `if (part == ${q}u) ` : ''}{ ${part(q)} }`)}
    workgroupBarrier();
    let channel = n0 + index % 4u + 4u * (part / ${parts / 2}u);
    if (index < ${16 * rows}u${isPartial ? ` && channel < ${out4}u` : ''}) {
      let window = ${4 * rows}u * (part % ${parts / 2}u) + index / 4u;
      let y = 2u * (y0 + window / ${windowsAcross}u);
      let x = 2u * (x0 + window % ${windowsAcross}u);
      ${each(4, (p) => each(4, (q) => `let d_${p}_${q} = memory_[${(4 * p + q) * 16 * rows}u + index];`))}
      ${transform(at, (p, q) => `d_${p}_${q}`, 'o')}
      ${finish(2, kernel, out4, 'vec4f')}
    }
    workgroupBarrier();
  }
}`;
}
