import type { Size } from '../../shared/fitting-size';
import type { Grid } from '../device/gpu';
import { declare, each } from '../device/product';
import {
  finish,
  finishBindings,
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

/** `shape` is [height, width]. */
export const fusedBindings = (kernel: WinogradKernel): readonly string[] => [
  'input',
  'filters',
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
  const { channelsIn, channels, relu } = kernel;
  const { bt, at } = winogradMatrices(2);
  const [in4, out4] = [channelsIn / 4, channels / 4];
  const names = fusedBindings(kernel);
  // Invocations of two products read at once: those of the odd one are shifted to other banks of memory.
  const left = (position: string, window: string) =>
    `(${position}) * ${windows}u + (((${window}) + 4u * ((${position}) & 1u)) & ${windows - 1}u)`;
  const right = (position: string, k: string, column4: string) =>
    `${16 * windows}u + ((${position}) * 4u + ${k}) * ${columns4}u + ((${column4}) ^ (4u * ((${position}) & 1u)))`;
  const isPartial = channels % (4 * columns4) !== 0;
  const load = `memory_[${right('p', 'k', 'column4')}] =`;
  const filter = `filters[(p * ${channelsIn}u + 4u * step + k) * ${out4}u + n0 + column4]`;
  /** A quarter of each invocation's sums: those of four windows at four channels. */
  const quarter = (q: number) =>
    each(4, (i) => `memory_[(position * 16u + y + ${4 * i}u) * 4u + x] = c_${4 * (q & 1) + i}_${q >> 1};`);
  return `
${declare(names, ['output', 'pool'])}
// The transformed input and filters of a step; then sums on their way between invocations.
var<workgroup> memory_: array<vec4f, ${16 * windows + 64 * columns4}>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let height = shape.x; let width = shape.y;
  let position = index / 16u; let x = index % 4u; let y = (index / 4u) % 4u; let n0 = group.z * ${columns4}u;
  ${each(8, (i) => each(2, (j) => `var c_${i}_${j} = vec4f();`))}
  for (var step = 0u; step < ${in4}u; step++) {
    if (index < ${windows}u) {
      let y = i32(2u * (group.y * ${windowsDown}u + index / ${windowsAcross}u)) - 1;
      let x = i32(2u * (group.x * ${windowsAcross}u + index % ${windowsAcross}u)) - 1;
      ${readWindow(4, in4, 'step', relu, 'vec4f')}
      ${transform(bt, (p, q) => `d_${p}_${q}`, 'r')}
      ${each(4, (p) => each(4, (q) => `memory_[${left(`${4 * p + q}u`, 'index')}] = r_${p}_${q};`))}
    } else {
      for (var i = index - ${windows}u; i < ${64 * columns4}u; i += ${256 - windows}u) {
        let p = i / ${4 * columns4}u; let k = (i / ${columns4}u) % 4u; let column4 = i % ${columns4}u;
        ${isPartial ? `if (n0 + column4 < ${out4}u) { ${load} ${filter}; }` : `${load} ${filter};`}
      }
    }
    workgroupBarrier();
    ${each(8, (i) => `let a_${i} = memory_[${left('position', `y + ${4 * i}u`)}];`)}
    ${each(
      4,
      (k) => `{
      ${each(2, (j) => `let b_${j} = memory_[${right('position', `${k}u`, `x + ${4 * j}u`)}];`)}
      ${each(8, (i) => each(2, (j) => `c_${i}_${j} += a_${i}.${'xyzw'[k]} * b_${j};`))}
    }`,
    )}
    workgroupBarrier();
  }
  // Sums change hands a quarter at a time, then become results: a loop, because unrolled it compiles for seconds.
  for (var quarter = 0u; quarter < 4u; quarter++) {
    ${each(4, (q) => `${q > 0 ? 'else ' : ''}${q < 3 ? `if (quarter == ${q}u) ` : ''}{ ${quarter(q)} }`)}
    workgroupBarrier();
    let channel = n0 + index % 4u + 4u * (quarter / 2u);
    if (index < 64u${isPartial ? ` && channel < ${out4}u` : ''}) {
      let window = 16u * (quarter & 1u) + index / 4u;
      let y = 2u * (group.y * ${windowsDown}u + window / ${windowsAcross}u);
      let x = 2u * (group.x * ${windowsAcross}u + window % ${windowsAcross}u);
      ${each(4, (p) => each(4, (q) => `let d_${p}_${q} = memory_[${(4 * p + q) * 64}u + index];`))}
      ${transform(at, (p, q) => `d_${p}_${q}`, 'o')}
      ${finish(2, kernel, out4, 'vec4f')}
    }
    workgroupBarrier();
  }
}`;
}
