import { LbfgsHistory } from './lbfgs-history';
import { decreasedEnough, startLineSearch, type Trial } from './line-search';
import type { Position, Stepper } from './method';
import type { Evaluated, Run } from './run';
import type { Preconditioner } from './vector-space';

/** The state of a run of L-BFGS; the algorithm is documented at `lbfgs`. */
export class LbfgsStepper<V, S, X> implements Stepper<V> {
  private readonly history: LbfgsHistory<V>;
  private current: Point<V>;
  /** Euclidean length of the first trial step while the history is empty. */
  private length: number;

  private constructor(
    private readonly run: Run<V, S, X>,
    private readonly settings: LbfgsSettings<X>,
    start: Point<V>,
  ) {
    this.history = new LbfgsHistory(settings.memory);
    this.current = start;
    this.length = settings.firstStep * Math.sqrt(run.space.size);
  }

  /** Evaluates the start. */
  static async begin<V, S, X>(
    run: Run<V, S, X>,
    start: V,
    settings: LbfgsSettings<X>,
  ): Promise<LbfgsStepper<V, S, X>> {
    let pq: V | undefined;
    const reading = await run.begin(start, ({ q }) => {
      // Called twice if the run changes its unit, and q with it: the first result is then stale.
      if (pq !== undefined) run.space.dispose(pq);
      pq = preconditioned(run, settings, q);
      return [{ kind: 'products', left: [pq], right: [q, pq] }];
    });
    const [[qpq, pqpq]] = reading.measured;
    return new LbfgsStepper(run, settings, { ...reading, pq: pq ?? reading.q, qpq, pqpq, step: 0, moved: 0 });
  }

  get position(): Position<V> {
    return this.current;
  }

  get best(): Position<V> {
    return this.current;
  }

  async advance(): Promise<'stepped' | 'stalled' | 'exhausted'> {
    for (;;) {
      const found = await this.search();
      if (typeof found === 'object') {
        this.moveTo(found);
        return 'stepped';
      }
      if (found === 'exhausted' || this.history.isEmpty) return found;
      // The history may describe the function elsewhere: one more search, without it.
      this.run.space.dispose(...this.history.clear());
    }
  }

  /** Searches along the next direction for a point that is lower than the current one. */
  private async search(): Promise<Neighbour<V> | 'stalled' | 'exhausted'> {
    const { run } = this;
    const { direction, slope, step } = this.direction();
    const line = startLineSearch({ slope, step, bounded: run.bounds !== undefined });
    // If rounding of the value hides the gain of a step, its change is computed by the trapezoidal rule over the
    // gradients at both ends, g.s + s.y / 2, which is exact for a quadratic: the approximate Wolfe conditions of Hager
    // & Zhang (SIAM J. Optim. 16, 2005).
    const hidden =
      -slope * step <= roundingErrors * run.space.epsilon * Math.abs(run.unit * this.current.value);
    let lowest: Neighbour<V> | undefined;
    let state: ReturnType<typeof line.report> = slope < 0 ? 'continue' : 'exhausted';
    while (state === 'continue' && !run.exhausted) {
      const neighbour = await this.look(direction, line.step, hidden);
      state = line.report(neighbour.trial);
      const taken =
        state === 'accepted' ||
        (decreasedEnough(neighbour.trial) && !(neighbour.value > (lowest?.value ?? Infinity)));
      if (taken && lowest) this.discard(lowest);
      if (taken) lowest = neighbour;
      else this.discard(neighbour);
    }
    run.space.dispose(direction);
    return lowest ?? (run.exhausted ? 'exhausted' : 'stalled');
  }

  private direction(): { readonly direction: V; readonly slope: number; readonly step: number } {
    const { history, current, run } = this;
    // Because of rounding, the recursion may yield a direction that does not descend.
    if (!(history.direction(current.qpq).qHq > 0)) run.space.dispose(...history.clear());
    const { coefficients, qHq } = history.direction(current.qpq);
    const negative = coefficients.map((coefficient) => -coefficient);
    const unmasked = run.space.combine(negative, [...history.vectors, current.pq]);
    const direction = current.free === undefined ? unmasked : run.space.multiply(current.free, unmasked);
    if (direction !== unmasked) run.space.dispose(unmasked);
    return { direction, slope: -qHq, step: history.isEmpty ? this.length / Math.sqrt(current.pqpq) : 1 };
  }

  private async look(direction: V, step: number, hidden: boolean): Promise<Neighbour<V>> {
    const { run, current, history, settings } = this;
    const { space, bounds } = run;
    const ahead = space.combine([1, step], [current.x, direction]);
    const x = bounds ? space.project(ahead, bounds) : ahead;
    if (x !== ahead) space.dispose(ahead);

    const unread = await run.evaluate(x);
    const s = space.combine([1, -1], [x, current.x]);
    const y = space.combine([1, -1], [unread.gradient, current.gradient]);
    const z = preconditioned(run, settings, y);
    const { q } = unread;
    const pq = preconditioned(run, settings, q);
    const reading = await run.read(unread, [
      { kind: 'products', left: [...history.vectors, s, z], right: [y, q] },
      { kind: 'products', left: [s], right: [s, y, current.gradient] },
      { kind: 'products', left: [pq], right: [q, pq] },
      { kind: 'products', left: [direction], right: [q] },
      { kind: 'products', left: [y], right: [y] },
    ] as const);
    if (z !== y) space.dispose(y);

    const [byYAndQ, [ss, sy, predicted], [qpq, pqpq], [slope], [yy]] = reading.measured;
    const byY = byYAndQ.filter((_, k) => k % 2 === 0);
    const byQ = byYAndQ.filter((_, k) => k % 2 === 1);
    const change = hidden ? predicted + sy / 2 : run.unit * (reading.value - current.value);
    const trial: Trial = { change: reading.finite ? change : Number.NaN, slope, predicted };
    const moved = Math.sqrt(ss / space.size);
    return { ...reading, pq, qpq, pqpq, step, moved, s, z, ss, sy, yy, byY, byQ, trial };
  }

  private moveTo(next: Neighbour<V>): void {
    const { history, current, run } = this;
    const { s, z, ss, sy, yy, byY, byQ } = next;
    run.space.dispose(...vectorsOf(current));
    if (sy > run.space.epsilon * Math.sqrt(ss * yy)) {
      run.space.dispose(...history.add(s, z, byY, byQ));
    } else {
      history.setGradient(byQ);
      run.space.dispose(s, z);
    }
    this.length = Math.sqrt(ss);
    this.current = next;
  }

  private discard(neighbour: Neighbour<V>): void {
    this.run.space.dispose(...vectorsOf(neighbour), neighbour.s, neighbour.z);
  }
}

/** Changes below this many rounding errors of the value cannot be trusted. */
const roundingErrors = 10;

/** The options of `lbfgs`, complete. */
export interface LbfgsSettings<X> {
  readonly memory: number;
  readonly preconditioner?: Preconditioner<X> | undefined;
  readonly firstStep: number;
}

/** An evaluated point, in the run's unit. */
interface Point<V> extends Position<V>, Evaluated<V> {
  /** P q; q itself without a preconditioner. */
  readonly pq: V;
  /** q.P q and |P q|^2 */
  readonly qpq: number;
  readonly pqpq: number;
}

/** A trial point of a line search, with the pair (s, y) from the current point to it. */
interface Neighbour<V> extends Point<V> {
  readonly trial: Trial;
  /** Change of x, and P times the change y of the gradient. */
  readonly s: V;
  readonly z: V;
  readonly ss: number;
  readonly sy: number;
  readonly yy: number;
  /** Inner products of the history's vectors, s and z with y and with q. */
  readonly byY: readonly number[];
  readonly byQ: readonly number[];
}

const preconditioned = <V, S, X>(
  { space }: Run<V, S, X>,
  { preconditioner }: LbfgsSettings<X>,
  vector: V,
): V => (preconditioner ? space.precondition(preconditioner, vector) : vector);

function vectorsOf<V>({ x, gradient, free, q, pq }: Point<V>): readonly V[] {
  return [x, gradient, ...(free === undefined ? [] : [free]), q, pq];
}
