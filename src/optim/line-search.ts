import { armijo } from './armijo';
import { strongWolfe } from './strong-wolfe';

/** A line search by its name. */
export const startLineSearch = (name: LineSearchName, start: LineSearchStart): LineSearch =>
  (name === 'armijo' ? armijo : strongWolfe)(start);

/** How a step's length is chosen: both conditions of Wolfe, or backtracking to sufficient decrease alone. */
export type LineSearchName = 'strong-wolfe' | 'armijo';

/** Every {@link LineSearchName}. */
export const lineSearchNames: readonly LineSearchName[] = ['strong-wolfe', 'armijo'];

/** A line search as a dialogue: it names a step, is told what was found there, and accepts it, names another, or gives up. */
export interface LineSearch {
  /** The step to try next. */
  readonly step: number;
  report(trial: Trial): 'accepted' | 'continue' | 'exhausted';
}

/** Where a line search starts. */
export interface LineSearchStart {
  /** Directional derivative at step 0; negative. */
  readonly slope: number;
  /** The first step to try; positive. */
  readonly step: number;
  /** Whether bounds may bend the path: its derivative then jumps, and no step need satisfy the upper half of the strong Wolfe condition. */
  readonly bounded: boolean;
}

/** What an evaluation at the named step told. */
export interface Trial {
  /** The function's value there minus its value at step 0; not finite where it could not be computed. */
  readonly change: number;
  /** Directional derivative there. */
  readonly slope: number;
  /** First-order change, gradient at step 0 times displacement: step * slope unless a bound bent the path. */
  readonly predicted: number;
}

/** Sufficient decrease, Nocedal & Wright (3.6a), on a path that bounds may bend. The fraction is that of L-BFGS-B. */
export const decreasedEnough = ({ change, predicted }: Trial): boolean =>
  predicted < 0 && change <= decreaseFraction * predicted;

/** Of the first-order change; see {@link decreasedEnough}. */
export const decreaseFraction = 1e-3;
/** Trials after which a line search gives up, as in L-BFGS-B. */
export const maxTrials = 20;
/** Where the function is not finite, the step is cut to this fraction. */
export const notFiniteCut = 0.1;
