import { number } from '../options/table';
import type { Position } from './method';
import type { Run } from './run';

/** The option `average` of runs: 0 is off. */
export const averageOption = number({
  min: 0,
  max: 1 - Number.EPSILON,
  flag: '--average <decay>',
  help: 'paint the mean of all steps, older ones weighing less by this factor each, such as 0.99; 0 is off',
});

/**
 * The exponential moving average of a run's iterates with bias correction (Kingma & Ba 2015, section 7.2 and algorithm
 * 1): of x_1 to x_n, x_i weighs decay^(n - i), and the weights add up to 1. The start is x_1.
 *
 * It is kept in its corrected form, a_n = a_(n-1) + (1 - decay) / (1 - decay^n) (x_n - a_(n-1)), in which every a_n is
 * a mean of iterates: within the box that they are in.
 */
export class IterateAverage<V, S, X> {
  private mean: V;
  private count = 1;

  constructor(
    private readonly run: Run<V, S, X>,
    private readonly decay: number,
    start: V,
  ) {
    this.mean = run.space.copy(start);
  }

  /** Adds an iterate, which remains the caller's. */
  add(x: V): void {
    const { run, decay, mean } = this;
    this.count++;
    const share = (1 - decay) / (1 - decay ** this.count);
    this.mean = run.space.combine([1 - share, share], [mean, x]);
    run.space.dispose(mean);
  }

  /**
   * The average with its value, by an evaluation of its own.
   *
   * @returns undefined if the start is the only iterate, or value or gradient is not finite at the average
   */
  async evaluate(): Promise<Omit<Position<V>, 'step' | 'moved'> | undefined> {
    if (this.count === 1) return undefined;
    const { space, bounds } = this.run;
    // Rounding may take the mean of iterates on a bound beyond it.
    const x = bounds ? space.project(this.mean, bounds) : this.mean;
    if (x !== this.mean) space.dispose(this.mean);
    const unread = await this.run.evaluate(x);
    const { gradient, q, ...found } = await this.run.read(unread, []);
    space.dispose(gradient, q);
    return found.finite && Number.isFinite(found.value) ? found : undefined;
  }
}

/** Vectors that an average takes: itself, and the new one while it is computed. */
export const averageVectors = 2;
