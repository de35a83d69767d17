import {
  decreasedEnough,
  type LineSearch,
  type LineSearchStart,
  maxTrials,
  notFiniteCut,
} from './line-search';

/** Backtracking: the minimum of a parabola through what is known, between a tenth and a half of the step before. */
export function armijo({ slope, step: firstStep }: LineSearchStart): LineSearch {
  let step = firstStep;
  let trials = 0;
  return {
    get step() {
      return step;
    },
    report(trial) {
      const finite = Number.isFinite(trial.change);
      if (finite && decreasedEnough(trial)) return 'accepted';
      const minimum = (-slope * step) / (2 * (trial.change / step - slope));
      step = finite ? Math.min(Math.max(minimum, 0.1 * step), 0.5 * step) : notFiniteCut * step;
      return ++trials < maxTrials ? 'continue' : 'exhausted';
    },
  };
}
