import type { PresetName } from '../../src/transfer/presets';

/** A row of the paper's tables 2 to 4. */
export interface System {
  /** The preset that computes it. */
  readonly id: PresetName;
  /** Its name in our tables. */
  readonly title: string;
  readonly description: string;
  /** A method of others or a starting point, against an improvement that the paper proposes. */
  readonly role: 'baseline' | 'ablation' | 'full';
}

/** The systems that exist here, in the order of the paper's tables. */
export const systems: readonly System[] = [
  {
    id: 'gatys2016',
    title: 'Gatys',
    description: 'content at relu4_2, style at relu1_1 to relu5_1, squared distances',
    role: 'baseline',
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

/** Rows of the paper's tables that cannot be computed, and why. */
export const absentSystems: readonly { readonly title: string; readonly reason: string }[] = [
  {
    title: 'Ulyanov (feed-forward)',
    reason: 'a trained generator network; this project has only optimisation, so the row is missing',
  },
];
