/** Decay of the running norm. */
const decay = 0.98;

/** A gradient may be this many times as long as gradients are on average. */
const allowance = 5;

/** Steps that nothing is clipped in: the average is not known yet. */
const free = 5;

/**
 * Shortens gradients that are much longer than those before: a crop with little in it, or an unlucky one, has a
 * gradient that would undo many steps.
 */
export class GradientClip {
  /** @param average running mean of the norms, undefined before the first gradient */
  constructor(public average?: number | undefined) {}

  /**
   * The factor, at most 1, that the gradient of a step is shortened by.
   *
   * @param norm the gradient's Euclidean norm
   * @param step from 0
   */
  factor(norm: number, step: number): number {
    const before = this.average;
    const longest = before === undefined ? Number.POSITIVE_INFINITY : allowance * before;
    this.average = before === undefined ? norm : decay * before + (1 - decay) * Math.min(norm, longest);
    return step < free || norm <= longest ? 1 : longest / norm;
  }
}
