import { type Grid, gridOf } from '../device/gpu';
import { bitsOf, Shape } from '../device/pieces';
import { declare } from '../device/product';

/** Sums over the positions of a feature map [positions][channels]. */
export interface MomentsShape {
  readonly positions: number;
  readonly channels: number;
  /** Of the features after their ReLU. */
  readonly relu: boolean;
  /** Whether each position counts by a weight; the mean weight is 1, or 0 for a mask of zeros. */
  readonly weighted: boolean;
}

/** Columns of a workgroup, in fours, and positions that it treats at a time. */
const [columns4, lanes] = [16, 16];

/** Shares of the positions: enough for a large GPU, none shorter than 16 positions for each lane. */
const sharesOf = ({ positions }: MomentsShape): number =>
  Math.max(1, Math.min(128, Math.floor(positions / (16 * lanes))));

/** Numbers of the sums, [shares][2][channels]. */
export const momentsLength = (shape: MomentsShape): number => sharesOf(shape) * 2 * shape.channels;

export const momentsGrid = (shape: MomentsShape): Grid => [
  Math.ceil(shape.channels / (4 * columns4)),
  sharesOf(shape),
  1,
];

/** Names of the bindings: `weights` [positions], `shift` [channels]. */
export const momentsBindings = ({ weighted }: Pick<MomentsShape, 'weighted'>): readonly string[] => [
  'map',
  ...(weighted ? ['weights'] : []),
  'shift',
  'sums',
  'shape',
];

/** Positions, those of a share, and channels in fours. */
export const momentsSizes = (shape: MomentsShape): Shape =>
  new Shape(shape.positions, Math.ceil(shape.positions / sharesOf(shape)), shape.channels / 4);

/**
 * Sums of each channel, and of its squares, minus `shift`: the target's means, so that little is lost where a mean is
 * large against the deviation.
 */
export function momentsSource(kernel: Pick<MomentsShape, 'relu' | 'weighted'>): string {
  const { relu, weighted } = kernel;
  const threads = columns4 * lanes;
  return `
${declare(momentsBindings(kernel), ['sums'], { weights: 'f32' })}
var<workgroup> sums_: array<vec4f, ${threads}>;
var<workgroup> squares_: array<vec4f, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let channels4 = shape.z;
  let n4 = group.x * ${columns4}u + index % ${columns4}u;
  var sum = vec4f(); var squares = vec4f();
  if (n4 < channels4) {
    let end = min(shape.x, (group.y + 1u) * shape.y);
    let away = shift[n4];
    for (var p = group.y * shape.y + index / ${columns4}u; p < end; p += ${lanes}u) {
      var value = map[p * channels4 + n4];
      ${relu ? 'value = max(value, vec4f());' : ''}
      value -= away;
      let counted = ${weighted ? 'weights[p] * ' : ''}value;
      sum += counted;
      squares += counted * value;
    }
  }
  sums_[index] = sum; squares_[index] = squares;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half >= ${columns4}u; half /= 2u) {
    if (index < half) { sums_[index] += sums_[index + half]; squares_[index] += squares_[index + half]; }
    workgroupBarrier();
  }
  if (index < ${columns4}u && n4 < channels4) {
    sums[group.y * 2u * channels4 + n4] = sums_[index];
    sums[(group.y * 2u + 1u) * channels4 + n4] = squares_[index];
  }
}`;
}

/** Positions, shares, channels in fours, and a factor. */
export const totalsSizes = (shape: MomentsShape, factor = 1): Shape =>
  new Shape(shape.positions, sharesOf(shape), shape.channels / 4, bitsOf(factor));

/** Adds up the shares: `sum` and `squares` of channels `c`, over the number of positions. */
const totals = `
  var sum = vec4f(); var squares = vec4f();
  for (var share = 0u; share < shape.y; share++) {
    sum += sums[share * 2u * channels4 + c];
    squares += sums[(share * 2u + 1u) * channels4 + c];
  }
  sum /= f32(shape.x); squares /= f32(shape.x);
  // The mean, and what it is away from the target's.
  let w = total[0];
  let away = shift[c] * (w - 1.0) + sum;
  let mean = shift[c] + away;`;

const perChannel = (body: string): string => `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x; let channels4 = shape.z;
  if (c >= channels4) { return; }
  ${totals}
  ${body}
}`;

export const channelsGrid = ({ channels }: Pick<MomentsShape, 'channels'>): Grid => [
  Math.ceil(channels / 256),
  1,
  1,
];

/** Added to variances, as in `meanVariance`. */
const epsilon = 1e-5;

export const meanVarianceBindings = [
  'sums',
  'shift',
  'deviations',
  'total',
  'line',
  'parts',
  'shape',
] as const;

/** @param weight of the term */
export const meanVarianceSizes = (shape: MomentsShape, weight: number): Shape =>
  totalsSizes(shape, (2 * weight) / (shape.channels * shape.positions));

/**
 * The distance of means and deviations, as `meanVariance`: what each four channels add to it in `parts`, and its
 * derivative by the features F as F times the first numbers [channels] of `line` plus the second ones.
 */
export const meanVarianceSource = (): string => `
${declare(meanVarianceBindings, ['line', 'parts'], { total: 'f32', parts: 'f32' })}
${perChannel(`
  let variance = squares - 2.0 * away * sum + w * away * away;
  let deviation = sqrt(max(variance, vec4f()) + ${epsilon});
  let off = deviation - deviations[c];
  // d mu / d F = 1/m; d sigma / d F = (F - mu) / (m sigma)
  let slope = bitcast<f32>(shape.w);
  let factor = slope * off / deviation;
  line[c] = factor;
  line[channels4 + c] = slope * away - factor * mean;
  parts[c] = dot(away, away) + dot(off, off);`)}`;

export const meansBindings = ['sums', 'shift', 'total', 'means', 'shape'] as const;

/** For covariances: [3][channels] of means about the shift, means minus the shift, and means. */
export const meansSource = (): string => `
${declare(meansBindings, ['means'], { total: 'f32' })}
${perChannel(`
  means[c] = sum;
  means[channels4 + c] = away;
  means[2u * channels4 + c] = mean;`)}`;

/** What a statistic adds to the gradient of its layer. */
export interface LineShape extends MomentsShape {
  /** Whether features are multiplied by `line` [channels]; behind that lie numbers that are added. */
  readonly factors: boolean;
  /** Whether `added` is set, not added to. */
  readonly first: boolean;
}

/** Names of the bindings. */
export const lineBindings = ({
  weighted,
  factors,
}: Pick<LineShape, 'weighted' | 'factors'>): readonly string[] => [
  ...(factors ? ['map'] : []),
  ...(weighted ? ['weights'] : []),
  'line',
  'added',
  'shape',
];

/** Vectors of four channels that an invocation treats. */
const rounds = 4;

export const lineGrid = ({ positions, channels }: MomentsShape): Grid =>
  gridOf(Math.ceil((positions * channels) / (4 * 256 * rounds)));

/** Values in fours, workgroups along x, and channels in fours. */
export const lineSizes = (shape: MomentsShape): Shape =>
  new Shape((shape.positions * shape.channels) / 4, lineGrid(shape)[0], shape.channels / 4);

/** Adds, at each position, the features times numbers of channels, and others, all times the position's weight. */
export function lineSource(kernel: Omit<LineShape, 'positions' | 'channels'>): string {
  const { relu, weighted, factors, first } = kernel;
  const feature = relu ? 'max(map[i], vec4f())' : 'map[i]';
  return `
${declare(lineBindings(kernel), ['added'], { weights: 'f32' })}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) index: u32) {
  let channels4 = shape.z;
  for (var k = 0u; k < ${rounds}u; k++) {
    let i = ((id.y * shape.y + id.x) * ${rounds}u + k) * 256u + index;
    if (i < shape.x) {
      let c = i % channels4;
      var value = ${factors ? `${feature} * line[c] + line[channels4 + c]` : 'line[c]'};
      ${weighted ? 'value *= weights[i / channels4];' : ''}
      added[i] = ${first ? '' : 'added[i] +'} value;
    }
  }
}`;
}
