import type { Distance } from '../../../losses/distance';
import { type Grid, gridOf } from '../device/gpu';
import { bitsOf, Shape } from '../device/pieces';
import { declare, totalOf } from '../device/product';

/** Invocations of a workgroup, and vectors, or numbers, that each of them treats. */
const [threads, rounds] = [256, 4];

/** Values are treated in fours, unless that leaves some over or takes those of two positions: the image's own. */
const unitOf = (count: number, fours = count % 4 === 0) =>
  fours
    ? { type: 'vec4f', units: count / 4, sum: (v: string) => `dot(${v}, vec4f(1.0))`, zero: 'vec4f()' }
    : { type: 'f32', units: count, sum: (v: string) => v, zero: '0.0' };

/** Workgroups for `count` values. */
export const elementsGrid = (count: number, fours?: boolean): Grid =>
  gridOf(Math.ceil(unitOf(count, fours).units / (threads * rounds)));

/** Workgroups, each of which leaves a number. */
const groupsOf = ([x, y]: Grid): number => x * y;

/** The `shape` of kernels on so many values: vectors or numbers, workgroups along x, and up to two more. */
export const elementsSizes = (count: number, fours?: boolean, ...more: readonly number[]): Shape =>
  new Shape(unitOf(count, fours).units, elementsGrid(count, fours)[0], ...more);

/** A kernel that runs `body` for each vector or number, at `i`; `group` is the number of the workgroup. */
const elementKernel = (
  body: string,
  { before = '', behind = '' }: { readonly before?: string; readonly behind?: string } = {},
) => `
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) index: u32) {
  let group = id.y * shape.y + id.x;
  ${before}
  for (var k = 0u; k < ${rounds}u; k++) {
    let i = (group * ${rounds}u + k) * ${threads}u + index;
    if (i < shape.x) { ${body} }
  }
  ${behind}
}`;

/** The types of bindings of values. */
const typesOf = (count: number, names: readonly string[], fours?: boolean) =>
  Object.fromEntries(names.map((name) => [name, unitOf(count, fours).type]));

/** The distance of a map's values from a target. */
export interface Difference {
  /** Shape of the map. */
  readonly positions: number;
  readonly channels: number;
  readonly distance: Distance;
  /** Factor of the derivative. */
  readonly slope: number;
  /** Whether the values go through a ReLU as they are read. */
  readonly relu: boolean;
  /** Whether each position counts by a weight. */
  readonly weighted: boolean;
  /** Whether `added` is set, not added to. */
  readonly first: boolean;
}

/** Names of the bindings: `weights` [positions]. */
export const differenceBindings = ({ weighted }: Pick<Difference, 'weighted'>): readonly string[] => [
  'values',
  'goal',
  ...(weighted ? ['weights'] : []),
  'added',
  'parts',
  'shape',
];

const foursOf = ({
  positions,
  channels,
  weighted,
}: Pick<Difference, 'positions' | 'channels' | 'weighted'>) =>
  weighted ? channels % 4 === 0 : (positions * channels) % 4 === 0;

export const differenceGrid = (how: Pick<Difference, 'positions' | 'channels' | 'weighted'>): Grid =>
  elementsGrid(how.positions * how.channels, foursOf(how));

/** Behind the sizes of the values, vectors or numbers of a position, and the factor of the derivative. */
export function differenceSizes(how: Difference): Shape {
  const [fours, { positions, channels }] = [foursOf(how), how];
  return elementsSizes(positions * channels, fours, fours ? channels / 4 : channels, bitsOf(how.slope));
}

/** Numbers that it leaves in `parts`. */
export const differenceSums = (how: Pick<Difference, 'positions' | 'channels' | 'weighted'>): number =>
  groupsOf(differenceGrid(how));

/**
 * The distance of values from a target: leaves `slope` times its derivative in `added`, and sums of squares or
 * magnitudes in `parts`.
 */
export function differenceSource(how: Difference): string {
  const { positions, channels, distance, relu, weighted, first } = how;
  const [count, fours] = [positions * channels, foursOf(how)];
  const [magnitude, derivative] = distance === 'l1' ? ['abs(d)', 'sign(d)'] : ['d * d', 'd'];
  const { sum, zero } = unitOf(count, fours);
  const weight = weighted ? 'w *' : '';
  const body = `
      let d = ${relu ? `max(values[i], ${zero})` : 'values[i]'} - goal[i];
      ${weighted ? `let w = weights[i / shape.z];` : ''}
      sum += ${weight} ${sum(magnitude)};
      added[i] = ${first ? '' : 'added[i] +'} ${weight} bitcast<f32>(shape.w) * ${derivative};`;
  const types = { ...typesOf(count, ['values', 'goal', 'added'], fours), parts: 'f32', weights: 'f32' };
  const behind = `${totalOf('sum', threads)} if (index == 0u) { parts[group] = total; }`;
  return `
${declare(differenceBindings(how), ['added', 'parts'], types)}
var<workgroup> parts_: array<f32, ${threads}>;
${elementKernel(body, { before: 'var sum = 0.0;', behind })}`;
}

const additionValues = ['values', 'added'] as const;
export const additionBindings = [...additionValues, 'shape'] as const;

/** Adds values to `added`, or sets it. */
export const additionSource = (count: number, first: boolean): string => `
${declare(additionBindings, ['added'], typesOf(count, additionValues))}
${elementKernel(`added[i] = ${first ? '' : 'added[i] +'} values[i];`)}`;

export const greyBindings = ['image', 'shape'] as const;

/** The mean of the channels of pixels, in each. */
export const greySource = (): string => `
${declare(greyBindings, ['image'], { image: 'f32' })}
${elementKernel(
  `
      let mean = (image[3u * i] + image[3u * i + 1u] + image[3u * i + 2u]) / 3.0;
      for (var c = 0u; c < 3u; c++) { image[3u * i + c] = mean; }`,
)}`;

/** Numbers of a band of the image, and how many lie before them in the whole. */
interface BandRows {
  readonly offset: number;
  readonly count: number;
}

export const bandBindings = ['whole', 'band', 'shape'] as const;

export const bandGrid = ({ count }: BandRows): Grid => elementsGrid(count, false);

export const bandSizes = ({ offset, count }: BandRows): Shape => elementsSizes(count, false, offset);

/** Reads the rows of a band from the whole image, or adds a band's to them. */
export const bandSource = (how: 'read' | 'add'): string => `
${declare(bandBindings, how === 'read' ? ['band'] : ['whole'], { whole: 'f32', band: 'f32' })}
${elementKernel(how === 'read' ? 'band[i] = whole[i + shape.z];' : 'whole[i + shape.z] += band[i];')}`;

const reluValues = ['values', 'output'] as const;
export const reluBindings = [...reluValues, 'shape'] as const;

/** The ReLU of a map, for losses that tfjs computes. */
export const reluSource = (count: number): string => `
${declare(reluBindings, ['output'], typesOf(count, reluValues))}
${elementKernel(`output[i] = max(values[i], ${unitOf(count).zero});`)}`;

export const variationGrid = (height: number, width: number): Grid => [
  Math.ceil(width / 16),
  Math.ceil(height / 16),
  1,
];

/** Names of the bindings: `weights` [2][height][width] of pairs with the pixel to the right, and with that below. */
export const variationBindings = ({ weighted }: { weighted: boolean }): readonly string[] => [
  'image',
  ...(weighted ? ['weights'] : []),
  'added',
  'parts',
  'shape',
];

/** Height, width and weight of the term. */
export const variationSizes = (height: number, width: number, weight: number): Shape =>
  new Shape(height, width, bitsOf(weight));

/**
 * The total variation of an image: the mean over horizontal neighbours plus the mean over vertical ones of their
 * differences' squares or magnitudes. Leaves its derivative, times the weight, in `added`, and parts of its value in
 * `parts`.
 */
export function variationSource(how: { distance: Distance; weighted: boolean; first: boolean }): string {
  const { distance, weighted, first } = how;
  const [magnitude, derivative] =
    distance === 'l1' ? ['dot(abs(d), vec3f(1.0))', 'sign(d)'] : ['dot(d, d)', '2.0 * d'];
  const neighbour = (inside: string, dy: number, dx: number, share: string, counts: boolean) => {
    const weightAt = `weights[u32(y + ${Math.min(dy, 0)}) * shape.y + u32(x + ${Math.min(dx, 0)})${dy === 0 ? '' : ' + shape.x * shape.y'}]`;
    const factor = weighted ? `${share} * ${weightAt}` : share;
    return `
    if (${inside}) {
      let d = here - at(y + ${dy}, x + ${dx});
      let factor = ${factor};
      slope += factor * ${derivative};
      ${counts ? `sum += factor * ${magnitude};` : ''}
    }`;
  };
  return `
${declare(variationBindings(how), ['added', 'parts'], { image: 'f32', weights: 'f32', added: 'f32', parts: 'f32' })}
var<workgroup> parts_: array<f32, 256>;
fn at(y: i32, x: i32) -> vec3f {
  let i = (u32(y) * shape.y + u32(x)) * 3u;
  return vec3f(image[i], image[i + 1u], image[i + 2u]);
}
@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32) {
  let height = i32(shape.x); let width = i32(shape.y);
  let y = i32(id.y); let x = i32(id.x);
  // Where there are no pairs along an axis, none is counted.
  let across = 1.0 / (3.0 * f32(max(1, height * (width - 1))));
  let down = 1.0 / (3.0 * f32(max(1, (height - 1) * width)));
  var sum = 0.0;
  if (y < height && x < width) {
    let here = at(y, x);
    var slope = vec3f();
    ${neighbour('x + 1 < width', 0, 1, 'across', true)}
    ${neighbour('x > 0', 0, -1, 'across', false)}
    ${neighbour('y + 1 < height', 1, 0, 'down', true)}
    ${neighbour('y > 0', -1, 0, 'down', false)}
    let to = u32(y * width + x) * 3u;
    let weight = bitcast<f32>(shape.z);
    for (var c = 0u; c < 3u; c++) { added[to + c] = ${first ? '' : 'added[to + c] +'} weight * slope[c]; }
  }
  ${totalOf('sum', 256)}
  if (index == 0u) { parts[group.y * ((shape.y + 15u) / 16u) + group.x] = total; }
}`;
}

/** A term whose value and factor are known from sums of parts. */
export interface TermSum {
  /** Index of its first part, and number of parts. */
  readonly from: number;
  readonly count: number;
  /** What the sum is multiplied by: the term's value with its weight. */
  readonly factor: number;
  /** The factor of the derivative: constant, or divided by the root of the sum and by the target's size. */
  readonly slope: number;
  /**
   * Whether the distance is relative: the root of the sum over the root of a second sum, whose parts lie behind the
   * first ones.
   */
  readonly relative: boolean;
  /** Whether rounding may take the sum below 0, where it is 0. */
  readonly positive?: boolean;
}

export const termSumsBindings = ['parts', 'results', 'factors', 'shape'] as const;

/** Eight numbers of each term. */
export const termSumsSizes = (terms: readonly TermSum[]): Shape =>
  new Shape(
    ...terms.flatMap(({ from, count, factor, slope, relative, positive = false }) => {
      const flags = [Number(relative), Number(positive), 0, 0];
      return [from, count, bitsOf(factor), bitsOf(slope), ...flags];
    }),
  );

/** The values of so many terms, to `results`, and factors of their derivatives, to `factors`: a workgroup each. */
export function termSumsSource(terms: number): string {
  const types = { parts: 'f32', results: 'f32', factors: 'f32' };
  return `
${declare(termSumsBindings, ['results', 'factors'], types, `array<vec4u, ${2 * terms}>`)}
var<workgroup> parts_: array<f32, 256>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let term = group.x;
  let own = shape[2u * term]; let flags = shape[2u * term + 1u];
  let relative = flags.x == 1u;
  var sum = 0.0; var size = 0.0;
  for (var i = index; i < own.y; i += 256u) {
    sum += parts[own.x + i];
    if (relative) { size += parts[own.x + own.y + i]; }
  }
  ${totalOf('sum', 256)}
  ${totalOf('size', 256, 'totalSize')}
  if (index == 0u) {
    // A target of zeros has no scale; at the target itself the norm has no derivative.
    let norm = sqrt(total); let scale = select(1.0, sqrt(totalSize), totalSize > 0.0);
    // Not the larger of it and 0, which would hide a NaN.
    let value = select(total, 0.0, flags.y == 1u && total < 0.0);
    results[term] = bitcast<f32>(own.z) * select(value, norm / scale, relative);
    factors[term] = bitcast<f32>(own.w) * select(1.0, select(0.0, 1.0 / (norm * scale), norm > 0.0), relative);
  }
}`;
}
