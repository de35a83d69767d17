import { histogram } from './histogram';
import { meanVariance } from './mean-variance';
import type { Statistic } from './statistic';
import { wasserstein } from './wasserstein';

/** What of a feature map stands for style; see `styleLoss`. */
export type StyleStatistic = 'gram' | 'mean-variance' | 'wasserstein' | 'histogram';

/** The statistics beside the Gram matrix. */
export const styleStatistics: Readonly<Record<Exclude<StyleStatistic, 'gram'>, Statistic>> = {
  'mean-variance': meanVariance,
  wasserstein,
  histogram,
};
