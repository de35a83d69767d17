import { type Grid, gridOf } from '../device/gpu';
import { declare, totalOf } from '../device/product';

/** Workgroups that share a vector in reductions: enough for a large GPU, few enough for one more to add them up. */
export const blocks = 128;
const threads = 256;

/** Workgroups of a kernel with so many invocations. */
export const vectorGrid = (invocations: number): Grid => gridOf(Math.ceil(invocations / threads));

/** Words of parameters of one command, a multiple of 64, because offsets of bindings are multiples of 256 bytes. */
export const parameterWords = 512;

/** Vectors that {@link combineSource} adds up at a time. */
export const mostSummands = (parameterWords - 4) / 2;

/** Rows of products in one command. */
export const mostRows = parameterWords - 8;

/** A kernel of {@link vectorGrid}: `i` is the number of the invocation. */
const each = `@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) index: u32) {
  let i = (group.y * groups.x + group.x) * ${threads}u + index;`;

const reduction = `@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {`;

/** What lies behind the last component is zero, whatever an operation makes of zeros. */
const kept = `
fn kept(value: vec4f, i: u32, size: u32) -> vec4f {
  return select(vec4f(), value, 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(size));
}`;

export const combineBindings = ['page', 'p', 'output'] as const;

/**
 * A linear combination of vectors of one page. Parameters: count, vec4fs, whether to add to the output, then pairs of
 * the vector's place in vec4fs and its factor.
 */
export const combineSource = `
${declare(combineBindings, ['output'], { p: 'u32' })}
${each}
  if (i >= p[1]) { return; }
  var sum = vec4f();
  if (p[2] == 1u) { sum = output[i]; }
  for (var k = 0u; k < p[0]; k++) { sum += bitcast<f32>(p[5u + 2u * k]) * page[p[4u + 2u * k] + i]; }
  output[i] = sum;
}`;

export const componentBindings = ['a', 'b', 'lower', 'upper', 'p', 'output'] as const;

/**
 * Parameters: vec4fs, components, a number, whether bounds are vectors, and else the numbers: lower, upper.
 */
const bounds = `
  let low = select(vec4f(bitcast<f32>(p[5])), lower[i], p[3] == 1u);
  let high = select(vec4f(bitcast<f32>(p[6])), upper[i], p[4] == 1u);`;

/** Operations on each component alone. */
const operations = {
  multiply: 'a[i] * b[i]',
  divideByRoot: 'a[i] / (sqrt(b[i]) + number)',
  project: 'min(max(a[i], low), high)',
  freeMask:
    'select(vec4f(1.0), vec4f(), ((a[i] <= low) & (b[i] > vec4f())) | ((a[i] >= high) & (b[i] < vec4f())))',
} as const;

export type ComponentOperation = keyof typeof operations;

/** An operation on each component of a and b. */
export const componentSource = (operation: ComponentOperation): string => `
${declare(componentBindings, ['output'], { p: 'u32' })}
${kept}
${each}
  if (i >= p[0]) { return; }
  let number = bitcast<f32>(p[2]);
  ${bounds}
  // A binding that is not read would be left out of the kernel's layout.
  _ = b[i] + vec4f(number) + low + high;
  output[i] = kept(${operations[operation]}, i, p[1]);
}`;

export const largestBindings = ['a', 'b', 'lower', 'upper', 'p', 'numbers'] as const;

/**
 * The largest magnitude of a component of a; or, with parameter 7 set, of min(max(number b, a - upper), a - lower).
 * Magnitudes are compared as integers: a maximum of floats may lose what is not a number. The last parameter is the
 * index of the first of the numbers that are left, one a workgroup.
 */
export const largestSource = `
${declare(largestBindings, ['numbers'], { p: 'u32', numbers: 'u32' })}
${kept}
var<workgroup> parts_: array<u32, ${threads}>;
${reduction}
  let number = bitcast<f32>(p[2]);
  var most = vec4u();
  for (var i = group.x * ${threads}u + index; i < p[0]; i += ${blocks * threads}u) {
    ${bounds}
    let projected = min(max(number * b[i], a[i] - high), a[i] - low);
    let value = kept(select(a[i], projected, p[7] == 1u), i, p[1]);
    most = max(most, bitcast<vec4u>(value) & vec4u(0x7fffffffu));
  }
  parts_[index] = max(max(most.x, most.y), max(most.z, most.w));
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    if (index < half) { parts_[index] = max(parts_[index], parts_[index + half]); }
    workgroupBarrier();
  }
  if (index == 0u) { numbers[p[8] + group.x] = parts_[0]; }
}`;

export const productsBindings = ['page', 'right', 'p', 'numbers'] as const;

/**
 * Inner products of vectors of one page with one vector: a row of workgroups each. Parameters: vec4fs, index of the
 * first of the numbers that are left, `blocks` for each row, then the vectors' places.
 */
export const productsSource = `
${declare(productsBindings, ['numbers'], { p: 'u32', numbers: 'f32' })}
var<workgroup> parts_: array<f32, ${threads}>;
${reduction}
  let left = p[8u + group.y];
  var sum = vec4f();
  for (var i = group.x * ${threads}u + index; i < p[0]; i += ${blocks * threads}u) {
    sum += page[left + i] * right[i];
  }
  let value = (sum.x + sum.y) + (sum.z + sum.w);
  ${totalOf('value', threads)}
  if (index == 0u) { numbers[p[1] + group.y * ${blocks}u + group.x] = total; }
}`;

export const gatherBindings = ['numbers', 'p', 'totals'] as const;

/**
 * The sums of `blocks` numbers each, or the largest ones: a workgroup each. Parameters: index of the first total, 1 for
 * the largest, index of the first number.
 */
export const gatherSource = `
${declare(gatherBindings, ['totals'], { p: 'u32', numbers: 'u32', totals: 'u32' })}
var<workgroup> parts_: array<u32, ${blocks}>;
@compute @workgroup_size(${blocks})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  parts_[index] = numbers[p[2] + group.x * ${blocks}u + index];
  workgroupBarrier();
  for (var half = ${blocks / 2}u; half > 0u; half /= 2u) {
    if (index < half) {
      let a = parts_[index]; let b = parts_[index + half];
      parts_[index] = select(bitcast<u32>(bitcast<f32>(a) + bitcast<f32>(b)), max(a, b), p[1] == 1u);
    }
    workgroupBarrier();
  }
  if (index == 0u) { totals[p[0] + group.x] = parts_[0]; }
}`;

const tent = 'fn tent(i: u32) -> f32 { return select(0.75, 0.25, i == 0u || i == 3u); }';

export const halveBindings = ['input', 'p', 'output'] as const;

/** Pooled sums of half the size. Parameters: height and width of the input, then of the output. */
export const halveSource = `
${declare(halveBindings, ['output'], { p: 'u32', input: 'f32', output: 'f32' })}
${tent}
${each}
  let h = p[0]; let w = p[1]; let width = p[3];
  if (i >= p[2] * width * 3u) { return; }
  let c = i % 3u; let x = (i / 3u) % width; let y = i / (3u * width);
  // Beyond the border lies the mirror image; an odd side is filled up by zeros.
  let bottom = i32((h + 1u) / 2u * 2u) - 1; let right = i32((w + 1u) / 2u * 2u) - 1;
  var sum = 0.0;
  for (var dy = 0u; dy < 4u; dy++) {
    let sy = u32(clamp(i32(2u * y + dy) - 1, 0, bottom));
    for (var dx = 0u; dx < 4u; dx++) {
      let sx = u32(clamp(i32(2u * x + dx) - 1, 0, right));
      if (sy < h && sx < w) { sum += tent(dy) * tent(dx) * input[(sy * w + sx) * 3u + c]; }
    }
  }
  output[i] = sum;
}`;

export const enlargeBindings = ['input', 'coarser', 'factors', 'p', 'output'] as const;

/**
 * Factors times the input, plus the coarser band enlarged by two. Parameters: height, width, those of the coarser band
 * (0 for none), whether there are factors: of rows, then of columns.
 */
export const enlargeSource = `
${declare(enlargeBindings, ['output'], { p: 'u32', input: 'f32', coarser: 'f32', factors: 'f32', output: 'f32' })}
${each}
  let width = p[1];
  if (i >= p[0] * width * 3u) { return; }
  let c = i % 3u; let x = (i / 3u) % width; let y = i / (3u * width);
  var value = input[i];
  if (p[4] == 1u) { value *= factors[y] * factors[p[0] + x]; }
  if (p[2] > 0u) {
    let ch = i32(p[2]); let cw = i32(p[3]);
    let cy = i32(y / 2u); let cx = i32(x / 2u);
    let ny = clamp(cy + select(-1, 1, (y & 1u) == 1u), 0, ch - 1);
    let nx = clamp(cx + select(-1, 1, (x & 1u) == 1u), 0, cw - 1);
    let near = 0.75 * coarser[u32(cy * cw + cx) * 3u + c] + 0.25 * coarser[u32(cy * cw + nx) * 3u + c];
    let far = 0.75 * coarser[u32(ny * cw + cx) * 3u + c] + 0.25 * coarser[u32(ny * cw + nx) * 3u + c];
    value += 0.75 * near + 0.25 * far;
  }
  output[i] = value;
}`;
