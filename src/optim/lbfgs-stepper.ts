import { requireFiniteStart } from './finite-start';
import { LbfgsHistory } from './lbfgs-history';
import { decreasedEnough, type LineSearchName, startLineSearch, type Trial } from './line-search';
import type { Position, Stepper } from './method';
import type { Run } from './run';
import type { Preconditioner } from './vector-space';

/** L-BFGS at work; the comment on `lbfgs` says what it does. */
export class LbfgsStepper<V, S, X> implements Stepper<V> {
  private readonly history: LbfgsHistory<V>;
  private current: Point<V>;
  /** How far a step goes that no history scales. */
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
    const unread = await run.evaluate(start);
    const reduced = reduce(run, settings, start, unread.gradient);
    const { q, pq } = reduced;
    const reading = await run.read(unread, [{ kind: 'products', left: [pq], right: [q, pq] }] as const);
    requireFiniteStart(reading);
    const [[qpq, pqpq]] = reading.measured;
    return new LbfgsStepper(run, settings, { ...reading, ...reduced, qpq, pqpq, step: 0 });
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
      // What the history says may be out of date: once more without it.
      this.run.space.dispose(...this.history.clear());
    }
  }

  /** Tries steps along the next direction; what it returns is lower than the current point. */
  private async search(): Promise<Neighbour<V> | 'stalled' | 'exhausted'> {
    const { run, settings } = this;
    const { direction, slope, step } = this.direction();
    const line = startLineSearch(settings.lineSearch, { slope, step, bounded: run.bounds !== undefined });
    // Where rounding of the value hides what a step can gain, the trapezoidal rule over the gradients at both ends tells its change,
    // g.s + s.y / 2, exactly for a quadratic: the approximate Wolfe conditions of Hager & Zhang (SIAM J. Optim. 16, 2005).
    const hidden = -slope * step <= roundingErrors * run.space.epsilon * Math.abs(this.current.value);
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
    // Rounding can leave a recursion that does not descend.
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
    const z = settings.preconditioner ? space.precondition(settings.preconditioner, y) : y;
    const reduced = reduce(run, settings, x, unread.gradient);
    const { q, pq } = reduced;
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
    const change = hidden ? predicted + sy / 2 : reading.value - current.value;
    const trial: Trial = { change: reading.finite ? change : Number.NaN, slope, predicted };
    return { ...reading, ...reduced, qpq, pqpq, step, s, z, ss, sy, yy, byY, byQ, trial };
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

/** So many rounding errors of the value hide a change. */
const roundingErrors = 10;

/** The options of `lbfgs`, complete. */
export interface LbfgsSettings<X> {
  readonly memory: number;
  readonly lineSearch: LineSearchName;
  readonly preconditioner: Preconditioner<X> | undefined;
  readonly firstStep: number;
}

/** What a direction is made of, beside the history. */
interface Reduced<V> {
  /** 1 where a component may move, 0 where a bound holds it; undefined without bounds. */
  readonly free: V | undefined;
  /** The free components of the gradient. */
  readonly q: V;
  /** P q; q itself without a preconditioner. */
  readonly pq: V;
}

/** An evaluated point. */
interface Point<V> extends Position<V>, Reduced<V> {
  readonly gradient: V;
  /** q.P q and |P q|^2 */
  readonly qpq: number;
  readonly pqpq: number;
}

/** A point that a line search tried, with the pair that leads to it. */
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

function reduce<V, S, X>(
  { space, bounds }: Run<V, S, X>,
  { preconditioner }: LbfgsSettings<X>,
  x: V,
  gradient: V,
): Reduced<V> {
  const free = bounds && space.freeMask(x, gradient, bounds);
  const q = free === undefined ? gradient : space.multiply(free, gradient);
  return { free, q, pq: preconditioner ? space.precondition(preconditioner, q) : q };
}

function vectorsOf<V>({ x, gradient, free, q, pq }: Point<V>): readonly V[] {
  return [x, gradient, ...(free === undefined ? [] : [free]), q, pq];
}
