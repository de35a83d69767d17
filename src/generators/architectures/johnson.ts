import { InvalidArgumentError } from '../../errors';
import type { GeneratorStep } from '../../features/generator-network';
import { type Padding, paddings } from '../../features/padding';
import { flag, number, oneOf, optionTable } from '../../options/table';
import { type Architecture, architecture } from './architecture';
import { block } from './block';

/** Options of {@link johnson}. */
export interface JohnsonOptions {
  /** Channels at the image's size; twice and four times as many at half and quarter of it. @default 8 */
  readonly width?: number | undefined;
  /** Residual blocks at a quarter of the size. @default 5 */
  readonly blocks?: number | undefined;
  /**
   * Whether the maps before each halving are added to those after the doubling to the same size: more of the picture
   * remains, and less is painted. @default false
   */
  readonly skip?: boolean | undefined;
  /**
   * Channels of noise that the blocks get beside the maps at a quarter of the size: strokes on surfaces of one colour,
   * which without it remain as they are. @default 0
   */
  readonly noise?: number | undefined;
  /** What convolutions read beyond the border. @default 'reflect' */
  readonly padding?: Padding | undefined;
}

const johnsonOptions = optionTable<JohnsonOptions>()('johnson', {
  width: number({ min: 1, max: 256, integer: true, default: 8 }),
  blocks: number({ min: 0, max: 64, integer: true, default: 5 }),
  skip: flag({ default: false }),
  noise: number({ min: 0, max: 64, integer: true, default: 0 }),
  padding: oneOf<Padding, { readonly default: 'reflect' }>(paddings, { default: 'reflect' }),
});

/**
 * The residual transformer of Johnson, Alahi and Fei-Fei 2016: a 9x9 convolution, two halvings, residual blocks, two
 * doublings and a 9x9 convolution. It differs from the paper in what later work found better: instance norm in place of
 * batch norm (Ulyanov et al. 2017), nearest-neighbour enlargement before convolutions in place of transposed ones
 * (Odena et al. 2016), a sigmoid at the end, and, if asked for, sums of maps of one size before and after the blocks.
 *
 * @param options see {@link JohnsonOptions}; a width of 8 has 108 371 parameters and takes 0.82 billion multiplications
 *   at 256 x 256 pixels, one of 32 is the paper's
 * @throws InvalidArgumentError if an option is unknown or out of range, or there is noise and no block
 * @example
 * ```ts
 * const { network, initialWeights } = johnson({ width: 16 });
 * ```
 */
export function johnson(options: JohnsonOptions = {}): Architecture {
  const { width, blocks, skip, noise, padding } = johnsonOptions.read(options);
  const [fine, middle, coarse] = [width, 2 * width, 4 * width];
  const steps: GeneratorStep[] = [];
  const add = (...more: readonly (GeneratorStep | readonly GeneratorStep[])[]) => steps.push(...more.flat());
  const convolution = { padding, size: 3, activation: 'relu' } as const;
  add(
    block({ ...convolution, name: 'enter', channels: [3, fine], size: 9 }),
    block({ ...convolution, name: 'down1', channels: [fine, middle], stride: 2 }),
    block({ ...convolution, name: 'down2', channels: [middle, coarse], stride: 2 }),
  );
  if (noise > 0) {
    if (blocks === 0) throw noBlocks(noise);
    add({ op: 'noise', name: 'noise', from: 'down2', channels: noise });
    add({ op: 'concat', name: 'grained', from: 'down2', with: 'noise' });
  }
  let before = 'down2';
  for (let i = 1; i <= blocks; i++) {
    const name = `residual${i}`;
    add(
      block({ ...convolution, name: `${name}/a`, channels: [i === 1 ? coarse + noise : coarse, coarse] }),
      block({ ...convolution, name: `${name}/b`, channels: [coarse, coarse], activation: undefined }),
      { op: 'add', name, with: before },
    );
    before = name;
  }
  for (const [name, channels, same] of [
    ['up1', [coarse, middle], 'down1'],
    ['up2', [middle, fine], 'enter'],
  ] as const) {
    add(block({ ...convolution, name, channels, upsample: true }));
    if (skip) add({ op: 'add', name: `${name}/skip`, with: same });
  }
  add(block({ name: 'leave', channels: [fine, 3], size: 9, padding, norm: false, activation: 'sigmoid' }));
  return architecture({
    name: 'johnson',
    // Mean and deviation of photographs, about.
    input: { scale: [1 / 0.225, 1 / 0.225, 1 / 0.225], offset: [-2, -2, -2] },
    steps,
    output: { scale: [1, 1, 1], offset: [0, 0, 0] },
  });
}

function noBlocks(noise: number): InvalidArgumentError {
  const accepted = 'at least one block beside noise, which the first one reads';
  return new InvalidArgumentError(
    'OUT_OF_RANGE',
    `blocks is 0 and noise is ${noise}; accepted: ${accepted}.`,
    {
      option: 'blocks',
      value: 0,
      accepted,
    },
  );
}
