import type { Size } from '../../shared/fitting-size';
import type { Grid } from '../device/gpu';
import {
  blocksAcross,
  blocksDown,
  declare,
  each,
  eachOfBlock,
  invocationsOf,
  product,
  productMemory,
  sums,
  type Tile,
} from '../device/product';
import { scales } from './halves';

/** Terms that are added to the gradient of a layer: of Gram matrices, and of all others together. */
export interface Additions {
  /** The layer's features times a symmetric matrix, `matrix` [channels][channels]. */
  readonly gram: boolean;
  /** A gradient of the map's shape, `added`. */
  readonly added: boolean;
}

/**
 * A kernel over the positions of a feature map [height][width][channels], which adds up, in this order, whatever of the
 * following it has:
 * what its output holds already;
 * a convolution of another map, or the gradient of the pooling behind the map;
 * the terms of the map's ReLU; the ReLU's mask, that passes gradients where the map is positive;
 * the terms of the map itself.
 */
export interface MapKernel {
  readonly channels: number;
  /** Shape of the product's tiles, without its depth. */
  readonly tile: Tile;
  /** Whether to add to what `output` holds. */
  readonly continued?: boolean;
  /** A 3x3 convolution of `input`, [height][width][channelsIn], by `filters` [9][channelsIn][channels]. */
  readonly convolution?: {
    readonly channelsIn: number;
    /** Whether the input goes through a ReLU as it is read. */
    readonly relu: boolean;
    /** Whether to add `bias`. */
    readonly bias: boolean;
  };
  /**
   * Whether the convolution is of numbers in 16 bits: `filters` are, and `range` has the input's. The kernel then has
   * neither products with matrices nor anything that is added before the convolution.
   */
  readonly halves?: boolean;
  /** The gradient `pooled` of the map's pooled ReLU. */
  readonly unpool?: 'max' | 'average';
  readonly ofRelu?: Additions;
  readonly mask?: boolean;
  readonly ofMap?: Additions;
  /** Also writes the pooled ReLU, to `pool`. */
  readonly pool?: 'max' | 'average';
}

const neither = { gram: false, added: false };

/**
 * Names of the bindings, in their order. `shape` is [height, width, exponent of filters in 16 bits, first row of
 * workgroups].
 */
export function mapBindings(kernel: MapKernel): readonly string[] {
  const { convolution, halves, unpool, ofRelu = neither, mask, ofMap = neither, pool } = kernel;
  const readsMap = unpool || mask || ofRelu.gram || ofMap.gram;
  return [
    ...(convolution ? ['input', 'filters'] : []),
    ...(halves ? ['range'] : []),
    ...(convolution?.bias ? ['bias'] : []),
    ...(readsMap ? ['map'] : []),
    ...(unpool ? ['pooled'] : []),
    ...(ofRelu.gram ? ['reluMatrix'] : []),
    ...(ofRelu.added ? ['reluAdded'] : []),
    ...(ofMap.gram ? ['mapMatrix'] : []),
    ...(ofMap.added ? ['mapAdded'] : []),
    'output',
    ...(pool ? ['pool'] : []),
    'shape',
  ];
}

/**
 * Windows of 2x2 positions of a tile: its rows are positions in an order in which each invocation has whole windows,
 * so that it can pool them.
 */
function windowsOf({ rows }: Tile): { readonly across: number; readonly down: number } {
  const windows = rows / 4;
  const across = 2 ** Math.ceil(Math.log2(windows) / 2);
  return { across, down: windows / across };
}

/** Workgroups of a kernel at a size of maps. */
export function mapGrid({ channels, tile }: MapKernel, [height, width]: Size): Grid {
  const { across, down } = windowsOf(tile);
  return [
    Math.ceil(width / (2 * across)),
    Math.ceil(height / (2 * down)),
    Math.ceil(channels / tile.columns),
  ];
}

/** The largest depth that divides all numbers of channels. */
export const depthFor = (...channels: readonly number[]): number =>
  [16, 8, 4].find((depth) => channels.every((count) => count % depth === 0)) ?? 4;

/** The kernel as WGSL. */
export function mapSource(kernel: MapKernel): string {
  const { channels, tile, continued, convolution, halves, unpool, mask, pool } = kernel;
  const { ofRelu = neither, ofMap = neither } = kernel;
  const { across } = windowsOf(tile);
  const [channels4, channelsIn] = [channels / 4, convolution?.channelsIn ?? channels];
  const [xs, ys] = [blocksAcross(tile), blocksDown(tile)];

  /** Declares the position of row `place` of the block of an invocation in row `block`. */
  const positionOf = (block: string, place: string) => `
    let window = ${block} + (${place} / 4u) * ${ys}u;
    let py = y0 + 2u * (window / ${across}u) + ((${place} & 3u) >> 1u);
    let px = x0 + 2u * (window % ${across}u) + (${place} & 1u);`;
  /** Sets `value` to four channels at the position of a row of the tile, moved by a tap. */
  const read = (from: string, dy: string, dx: string, ofChannels4: number, k4: string, relu: boolean) => `
    ${positionOf(`(row % ${ys}u)`, `(row / ${ys}u)`)}
    let sy = i32(py) + ${dy}; let sx = i32(px) + ${dx};
    if (sy >= 0 && sy < i32(height) && sx >= 0 && sx < i32(width)) {
      value = ${from}[(u32(sy) * width + u32(sx)) * ${ofChannels4}u + ${k4}];
      ${relu ? 'value = max(value, vec4f());' : ''}
    }`;
  const column = (j: number) => `(n0 + x + ${j * xs}u)`;
  const withinChannels = (j: number, body: string) =>
    channels % tile.columns ? `if (${column(j)} < ${channels4}u) { ${body} }` : body;
  const eachColumn = (body: (j: number) => string) =>
    each(tile.blockColumns / 4, (j) => withinChannels(j, body(j)));
  /** Declares where the first four channels of each row of the block lie, and whether they lie in the map. */
  const positions = each(
    tile.blockRows / 4,
    (q) => `
  ${positionOf('y', `${4 * q}u`).replaceAll(/\b(window|py|px)\b/g, `$1_${q}`)}
  ${each(
    4,
    (k) => `let at_${4 * q + k} = ((py_${q} + ${k >> 1}u) * width + px_${q} + ${k & 1}u) * ${channels4}u;
  let inside_${4 * q + k} = py_${q} + ${k >> 1}u < height && px_${q} + ${k & 1}u < width;`,
  )}`,
  );
  /** Runs `body` for each four values of the block that lie in the map. */
  const eachValue = (body: (i: number, j: number) => string) =>
    each(tile.blockRows, (i) => `if (inside_${i}) { let at = at_${i}; ${eachColumn((j) => body(i, j))} }`);
  /** Runs `body` for each window of the block that lies in the map as a whole: a last odd row or column is in none. */
  const eachWindow = (body: (first: number, j: number) => string) =>
    each(
      tile.blockRows / 4,
      (q) => `if (inside_${4 * q + 3}) {
      let at = at_${4 * q};
      let half = ((py_${q} / 2u) * (width / 2u) + px_${q} / 2u) * ${channels4}u;
      ${eachColumn((j) => body(4 * q, j))}
    }`,
    );
  const depth = depthFor(channelsIn, channels);
  /** A share of the summands of the kernel's one product; `own` is the step within it. */
  interface Share {
    readonly steps: number;
    readonly left: string;
    readonly right: string;
  }
  const right = (from: string) =>
    `if (n0 + column4 < ${channels4}u) { value = ${from}[(own * ${depth}u + k) * ${channels4}u + n0 + column4]; }`;
  const convolve = ({ relu }: NonNullable<MapKernel['convolution']>): Share => {
    const chunks = channelsIn / depth;
    const k4 = `(own % ${chunks}u) * ${depth / 4}u + k4`;
    return {
      steps: 9 * chunks,
      left: `let tap = own / ${chunks}u;
        ${read('input', 'i32(tap / 3u) - 1', 'i32(tap % 3u) - 1', channelsIn / 4, k4, relu)}`,
      right: right('filters'),
    };
  };
  const gram = (matrix: string, relu: boolean): Share => ({
    steps: channels / depth,
    left: read('map', '0', '0', channels4, `own * ${depth / 4}u + k4`, relu),
    right: right(matrix),
  });
  const maskAll = mask
    ? eachValue((i, j) => `c_${i}_${j} = select(vec4f(), c_${i}_${j}, map[at + ${column(j)}] > vec4f());`)
    : '';
  const add = (name: string) => eachValue((i, j) => `c_${i}_${j} += ${name}[at + ${column(j)}];`);
  const beforeMask = [
    ...(convolution ? [convolve(convolution)] : []),
    ...(ofRelu.gram ? [gram('reluMatrix', true)] : []),
  ];
  const shares = [...beforeMask, ...(ofMap.gram ? [gram('mapMatrix', false)] : [])];
  const total = (of: readonly Share[]) => of.reduce((sum, { steps }) => sum + steps, 0);
  const byShare = (side: 'left' | 'right') =>
    shares
      .map((share, i) => {
        const from = total(shares.slice(0, i));
        const body = `{ let own = step - ${from}u; ${share[side]} }`;
        return i + 1 < shares.length ? `if (step < ${from + share.steps}u) ${body}` : body;
      })
      .join(' else ');
  // The mask comes between summands of one loop: software compiles two loops of this size in many times the time of
  // one.
  const isMaskedWithin = mask && ofMap.gram && beforeMask.length > 0;
  const multiply = () =>
    product(
      { ...tile, depth },
      {
        steps: `${total(shares)}u`,
        before: isMaskedWithin ? `if (step == ${total(beforeMask)}u) { ${maskAll} }` : undefined,
        left: byShare('left'),
        right: byShare('right'),
        halves: halves ? 'rounded' : undefined,
      },
    );
  /** The four values of the ReLU in a window. */
  const window = (j: number) => `
      let z0 = max(map[at + ${column(j)}], vec4f());
      let z1 = max(map[at + ${channels4}u + ${column(j)}], vec4f());
      let z2 = max(map[at + width * ${channels4}u + ${column(j)}], vec4f());
      let z3 = max(map[at + (width + 1u) * ${channels4}u + ${column(j)}], vec4f());`;
  // The gradient of a maximum goes to the first of equal ones, as in tfjs and PyTorch.
  const toMaximum = (q: number, j: number) => `{
      ${window(j)}
      let top = max(max(z0, z1), max(z2, z3));
      let g = select(vec4f(), pooled[half + ${column(j)}], top > vec4f());
      let f0 = z0 == top; let f1 = (z1 == top) & !f0; let f2 = (z2 == top) & !(f0 | f1);
      ${each(3, (k) => `c_${q + k}_${j} += select(vec4f(), g, f${k});`)}
      c_${q + 3}_${j} += select(vec4f(), g, !(f0 | f1 | f2)); }`;
  const toAll = (q: number, j: number) => `{
      let g = 0.25 * pooled[half + ${column(j)}];
      ${each(4, (k) => `c_${q + k}_${j} += g;`)} }`;
  const positive = (i: number, j: number) => `max(c_${i}_${j}, vec4f())`;
  const poolOf = (q: number, j: number) =>
    pool === 'max'
      ? `max(max(c_${q}_${j}, c_${q + 1}_${j}), max(max(c_${q + 2}_${j}, c_${q + 3}_${j}), vec4f()))`
      : `0.25 * (${[0, 1, 2, 3].map((k) => positive(q + k, j)).join(' + ')})`;

  const biasAll = convolution?.bias
    ? eachColumn((j) => `{ let b = bias[${column(j)}]; ${each(tile.blockRows, (i) => `c_${i}_${j} += b;`)} }`)
    : '';
  const addToRelu = ofRelu.added ? add('reluAdded') : '';
  const unscaleAll = halves ? eachOfBlock(tile, (i, j) => `c_${i}_${j} *= unscale;`) : '';

  return `
${halves ? 'enable f16;' : ''}
${declare(mapBindings(kernel), ['output', 'pool'], halves ? { filters: 'vec4h' } : {})}
${shares.length > 0 ? productMemory(tile, depth, halves ? 'vec4h' : 'vec4f') : ''}
@compute @workgroup_size(${invocationsOf(tile)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let height = shape.x; let width = shape.y;
  let x = index % ${xs}u; let y = index / ${xs}u;
  let x0 = group.x * ${2 * across}u; let y0 = (group.y + shape.w) * ${2 * windowsOf(tile).down}u;
  let n0 = group.z * ${tile.columns / 4}u;
  ${halves ? `let exponent_ = bitcast<i32>(shape.z); ${scales()}` : ''}
  ${positions}
  ${sums(tile)}
  ${continued ? eachValue((i, j) => `c_${i}_${j} = output[at + ${column(j)}];`) : ''}
  ${halves ? '' : biasAll}
  ${unpool ? eachWindow(unpool === 'max' ? toMaximum : toAll) : ''}
  ${halves ? '' : addToRelu}
  ${ofMap.gram && beforeMask.length === 0 ? maskAll : ''}
  ${shares.length > 0 ? multiply() : ''}
  ${halves ? `${unscaleAll} ${biasAll} ${addToRelu}` : ''}
  ${ofMap.gram ? '' : maskAll}
  ${ofMap.added ? add('mapAdded') : ''}
  ${eachValue((i, j) => `output[at + ${column(j)}] = c_${i}_${j};`)}
  ${pool ? eachWindow((q, j) => `pool[half + ${column(j)}] = ${poolOf(q, j)};`) : ''}
}`;
}
