/**
 * A line search as a state machine: it proposes a step; on the report of the function there it accepts the step,
 * proposes another, or gives up.
 */
export interface LineSearch {
  /** The step to try next. */
  readonly step: number;
  report(trial: Trial): 'accepted' | 'continue' | 'exhausted';
}

/** The start of a line search. */
export interface LineSearchStart {
  /** Directional derivative at step 0; negative. */
  readonly slope: number;
  /** The first step to try; positive. */
  readonly step: number;
  /**
   * Whether bounds may bend the path: its derivative then jumps, and no step need satisfy the upper half of the strong
   * Wolfe condition.
   */
  readonly bounded: boolean;
}

/** The report of an evaluation at the proposed step. */
export interface Trial {
  /** The function's value there minus its value at step 0; not finite where it could not be computed. */
  readonly change: number;
  /** Directional derivative there. */
  readonly slope: number;
  /** First-order change, gradient at step 0 times displacement: step * slope unless a bound bent the path. */
  readonly predicted: number;
}

/** Sufficient decrease, Nocedal & Wright (3.6a), on a path that bounds may bend. */
export const decreasedEnough = ({ change, predicted }: Trial): boolean =>
  predicted < 0 && change <= decreaseFraction * predicted;

/** Fraction of the first-order change that {@link decreasedEnough} requires. The value of L-BFGS-B. */
const decreaseFraction = 1e-3;
/** Trials after which a line search gives up, as in L-BFGS-B. */
const maxTrials = 20;
/** Where the function is not finite, the step is cut to this fraction. */
const notFiniteCut = 0.1;
/** Curvature, Nocedal & Wright (3.7b): their value for quasi-Newton directions. */
const curvatureFraction = 0.9;
/**
 * While no bracket is known, the next step lies between these multiples of the last advance beyond the step
 * (MINPACK-2).
 */
const expansion = { least: 1.1, most: 4 };
/** A bracket this narrow relative to its upper end is not divided further, as in L-BFGS-B. */
const narrowest = 0.1;

/**
 * The search of Moré & Thuente (ACM TOMS 20, 1994) as MINPACK-2's `dcsrch` arranges it: a bracket is kept that holds
 * steps of sufficient decrease and small slope (the strong Wolfe conditions), and is narrowed by safeguarded cubic and
 * quadratic interpolation. It departs from MINPACK-2 in two points: a step where the function is not finite is a
 * ceiling for all later ones, and a degenerate bracket ends the search without evaluating its best end again.
 */
export function startLineSearch({
  slope: startSlope,
  step: firstStep,
  bounded,
}: LineSearchStart): LineSearch {
  const tangent = decreaseFraction * startSlope;
  let best: End = { step: 0, change: 0, slope: startSlope };
  let other = best;
  let bracketed = false;
  let seekingDecrease = true;
  let [least, most] = [0, firstStep * (1 + expansion.most)];
  let [width, previousWidth] = [Infinity, Infinity];
  let ceiling = Infinity;
  let step = firstStep;
  let trials = 0;

  return {
    get step() {
      return step;
    },
    report(trial) {
      const { change, slope } = trial;
      trials++;
      if (!Number.isFinite(change) || !Number.isFinite(slope)) {
        ceiling = step;
        step = best.step + notFiniteCut * (step - best.step);
        return trials < maxTrials ? 'continue' : 'exhausted';
      }
      const flat = Math.abs(slope) <= -curvatureFraction * startSlope || (bounded && slope > 0);
      if (decreasedEnough(trial) && flat) return 'accepted';
      if (trials >= maxTrials) return 'exhausted';

      if (seekingDecrease && change <= step * tangent && slope >= 0) seekingDecrease = false;
      // Until a step of sufficient decrease and rising slope is seen, the function minus the tangent of sufficient
      // decrease is searched.
      const tilt = seekingDecrease && change <= best.change && change > step * tangent ? tangent : 0;
      const end = { step, change, slope };
      const next = narrow({ best, other, bracketed, least, most }, end, tilt);
      [best, other, bracketed, step] = [next.best, next.other, next.bracketed, next.step];
      if (bracketed) {
        [least, most] = [Math.min(best.step, other.step), Math.max(best.step, other.step)];
        if (most - least >= 0.66 * previousWidth) step = 0.5 * (best.step + other.step);
        [previousWidth, width] = [width, most - least];
        if (step <= least || step >= most || most - least <= narrowest * most) return 'exhausted';
      } else {
        [least, most] = [
          step + expansion.least * (step - best.step),
          step + expansion.most * (step - best.step),
        ];
      }
      if (step >= ceiling) step = 0.5 * (best.step + ceiling);
      return 'continue';
    },
  };
}

/** One end of the bracket. */
interface End {
  readonly step: number;
  readonly change: number;
  readonly slope: number;
}

interface Bracket {
  /** The end with the least value so far. */
  readonly best: End;
  readonly other: End;
  /** Whether a minimum is known to lie between the ends. */
  readonly bracketed: boolean;
  /** The interval that the next step must lie in. */
  readonly least: number;
  readonly most: number;
}

/** MINPACK-2's `dcstep`: puts a trial into the bracket and chooses the next step. */
function narrow(
  bracket: Bracket,
  trial: End,
  tilt: number,
): Omit<Bracket, 'least' | 'most'> & { readonly step: number } {
  const tilted = ({ step, change, slope }: End): End => ({
    step,
    change: change - step * tilt,
    slope: slope - tilt,
  });
  const { bracketed, least, most } = bracket;
  const [x, y, p] = [tilted(bracket.best), tilted(bracket.other), tilted(trial)];
  const secant = p.step + (p.slope / (p.slope - x.slope)) * (x.step - p.step);
  const nearer = (a: number, b: number) => (Math.abs(a - p.step) < Math.abs(b - p.step) ? a : b);
  const farther = (a: number, b: number) => (Math.abs(a - p.step) > Math.abs(b - p.step) ? a : b);

  if (p.change > x.change) {
    // Higher than the best: a minimum lies between; the cubic's, unless it is farther from the best than the
    // parabola's.
    const cubic = cubicMinimum(x, p);
    const parabola =
      x.step + (x.slope / ((x.change - p.change) / (p.step - x.step) + x.slope) / 2) * (p.step - x.step);
    const cubicIsNearer = Math.abs(cubic - x.step) < Math.abs(parabola - x.step);
    const step = cubicIsNearer ? cubic : cubic + (parabola - cubic) / 2;
    return { best: bracket.best, other: trial, bracketed: true, step };
  }
  if (p.slope * x.slope < 0) {
    // Lower, and the slope has changed sign: a minimum lies between.
    return { best: trial, other: bracket.best, bracketed: true, step: farther(cubicMinimum(p, x), secant) };
  }
  const ends = { best: trial, other: bracket.other, bracketed };
  const beyond = p.step > x.step ? most : least;
  if (Math.abs(p.slope) < Math.abs(x.slope)) {
    // Lower, and flatter: the cubic counts only if it has its minimum beyond the trial.
    const minimum = cubicMinimum(p, x);
    const cubic = (minimum - p.step) * (p.step - x.step) > 0 ? minimum : beyond;
    if (!bracketed) return { ...ends, step: Math.min(Math.max(farther(cubic, secant), least), most) };
    const limit = p.step + 0.66 * (y.step - p.step);
    const step = nearer(cubic, secant);
    return { ...ends, step: p.step > x.step ? Math.min(limit, step) : Math.max(limit, step) };
  }
  // Lower, and as steep: move toward the other end of the bracket, or without one as far as is allowed.
  return { ...ends, step: bracketed ? cubicMinimum(p, y) : beyond };
}

/**
 * The minimiser of the cubic with the values and slopes of two ends, Nocedal & Wright (3.59), without overflow;
 * if it has none, a number and not NaN.
 */
function cubicMinimum(a: End, b: End): number {
  const theta = (3 * (a.change - b.change)) / (b.step - a.step) + a.slope + b.slope;
  const scale = Math.max(Math.abs(theta), Math.abs(a.slope), Math.abs(b.slope));
  const discriminant = Math.max(0, (theta / scale) ** 2 - (a.slope / scale) * (b.slope / scale));
  const gamma = Math.sign(b.step - a.step) * scale * Math.sqrt(discriminant);
  return a.step + ((gamma - a.slope + theta) / (gamma - a.slope + gamma + b.slope)) * (b.step - a.step);
}
