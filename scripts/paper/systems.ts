import type { PresetName } from '../../src/transfer/presets';

/** A system whose network is trained for each style, and then paints at once. */
export type FeedForwardId = 'ulyanov' | 'johnson';

/** A preset, or a feed-forward network. */
export type SystemId = PresetName | FeedForwardId;

/** A row of the paper's tables 2 to 4. */
export interface System {
  readonly id: SystemId;
  /** Its name in our tables. */
  readonly title: string;
  readonly description: string;
  /**
   * A method of others or a starting point, against an improvement that the paper proposes; an extra row is none of the
   * paper's, and no reading of its gains counts it.
   */
  readonly role: 'baseline' | 'ablation' | 'full' | 'extra';
}

/** The systems, in the order of the paper's tables. */
export const systems: readonly System[] = [
  {
    id: 'gatys2016',
    title: 'Gatys',
    description: 'content at relu4_2, style at relu1_1 to relu5_1, squared distances',
    role: 'baseline',
  },
  {
    id: 'ulyanov',
    title: 'Ulyanov',
    description: 'texture network with instance norm and noise, trained from scratch for each style',
    role: 'baseline',
  },
  {
    id: 'johnson',
    title: 'Johnson',
    description: 'residual network, trained from a base for each style; no row of the paper',
    role: 'extra',
  },
  {
    id: 'li2021-baseline',
    title: 'Baseline',
    description: 'the five convolutions of the paper, squared content distance',
    role: 'baseline',
  },
  { id: 'li2021-l1', title: '+ L1', description: 'L1 instead of squared content distance', role: 'ablation' },
  {
    id: 'li2021-perceptual',
    title: '+ perceptual',
    description: 'squared content distance and perceptual loss',
    role: 'ablation',
  },
  { id: 'li2021', title: 'Full model', description: 'L1 content distance and perceptual loss', role: 'full' },
];

/** Whether a system is a network that is trained for each style. */
export const isFeedForward = (id: SystemId): id is FeedForwardId => id === 'ulyanov' || id === 'johnson';
