import type { History } from './history';
import { LbfgsHistory } from './lbfgs-history';
import { decreasedEnough, startLineSearch, type Trial } from './line-search';
import type { Position, Stepper } from './method';
import type { Evaluated, Run } from './run';
import type { Preconditioner } from './vector-space';

/** The state of a run of L-BFGS; the algorithm is documented at `lbfgs`. */
export class LbfgsStepper<V, S, X> implements Stepper<V> {
  private readonly history: LbfgsHistory<V>;
  private current: Point<V>;
  /**
   * P q at the current point, until the direction from it is known. Vectors that are cheap to compute again are not
   * kept: of a large image, one takes hundreds of megabytes.
   */
  private pq: V | undefined;
  /** Euclidean length of the first trial step while the history is empty. */
  private length: number;

  private constructor(
    private readonly run: Run<V, S, X>,
    private readonly settings: LbfgsSettings<X>,
    start: Point<V>,
    pq: V,
  ) {
    this.history = new LbfgsHistory(settings.history.pairs);
    this.current = start;
    this.pq = pq;
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
    const { gradient, q } = reading;
    const [[qpq, pqpq]] = reading.measured;
    const point = { ...reading, qpq, pqpq, step: 0, moved: 0 };
    const stepper = new LbfgsStepper(run, settings, point, pq ?? q);
    stepper.release([q], [gradient, stepper.pq]);
    return stepper;
  }

  get position(): Position<V> {
    return this.current;
  }

  get best(): Position<V> {
    return this.current;
  }

  async advance(): Promise<'stepped' | 'stalled' | 'exhausted'> {
    for (;;) {
      const steepest = this.history.isEmpty;
      const found = await this.search();
      if (typeof found === 'object') {
        this.moveTo(found);
        return 'stepped';
      }
      if (found === 'exhausted' || steepest) return found;
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
      if (lowest) lowest = this.reduced(lowest);
      const neighbour = await this.look(direction, line.step, hidden);
      state = line.report(neighbour.trial);
      const taken =
        state === 'accepted' ||
        (decreasedEnough(neighbour.trial) && !(neighbour.value > (lowest?.value ?? Infinity)));
      const worse = taken ? lowest : neighbour;
      if (worse) this.release([worse.x, worse.gradient, ...Object.values(worse.pair ?? {})]);
      if (taken) lowest = neighbour;
    }
    run.space.dispose(direction);
    return lowest ?? (run.exhausted ? 'exhausted' : 'stalled');
  }

  /** The next direction. Makes room in the history for the pair of the step along it. */
  private direction(): { readonly direction: V; readonly slope: number; readonly step: number } {
    const { history, current, run } = this;
    const pq = this.pq ?? this.steepest(current);
    // Because of rounding, the recursion may yield a direction that does not descend.
    if (!(history.direction(current.qpq).qHq > 0)) run.space.dispose(...history.clear());
    const { coefficients, qHq } = history.direction(current.qpq);
    const negative = coefficients.map((coefficient) => -coefficient);
    const unmasked = run.space.combine(negative, [...history.vectors, pq]);
    this.release([pq], [current.gradient]);
    this.pq = undefined;
    const direction = run.freePart(unmasked, current);
    this.release([unmasked], [direction]);
    const step = history.isEmpty ? this.length / Math.sqrt(current.pqpq) : 1;
    run.space.dispose(...history.makeRoom());
    return { direction, slope: -qHq, step };
  }

  private async look(direction: V, step: number, hidden: boolean): Promise<Neighbour<V>> {
    const { run, current, history } = this;
    const { space, bounds } = run;
    const ahead = space.combine([1, step], [current.x, direction]);
    const x = bounds ? space.project(ahead, bounds) : ahead;
    this.release([ahead], [x]);

    const unread = await run.evaluate(x);
    const { gradient, q } = unread;
    const { s, y, pair } = this.difference(unread);
    const reading = await run.read(unread, [
      { kind: 'products', left: [...history.vectors, pair.s, pair.z], right: [y, q] },
      { kind: 'products', left: [s], right: [s, y, current.gradient] },
      { kind: 'products', left: [pair.pq], right: [q, pair.pq] },
      { kind: 'products', left: [direction], right: [q] },
      { kind: 'products', left: [y], right: [y] },
    ] as const);
    this.release([s, y, q], [gradient, ...Object.values(pair)]);

    const [byYAndQ, [ss, sy, predicted], [qpq, pqpq], [slope], [yy]] = reading.measured;
    const byY = byYAndQ.filter((_, k) => k % 2 === 0);
    const byQ = byYAndQ.filter((_, k) => k % 2 === 1);
    const change = hidden ? predicted + sy / 2 : run.unit * (reading.value - current.value);
    const trial: Trial = { change: reading.finite ? change : Number.NaN, slope, predicted };
    const moved = Math.sqrt(ss / space.size);
    return { ...reading, qpq, pqpq, step, moved, ss, yy, byY, byQ, trial, pair };
  }

  /** The differences s and y from the current point to another, and what is kept of them and of q if it is accepted. */
  private difference({ x, gradient, q }: Evaluated<V>): { s: V; y: V; pair: NewPair<V> } {
    const { run, settings, current } = this;
    const { space } = run;
    const s = space.combine([1, -1], [x, current.x]);
    const y = space.combine([1, -1], [gradient, current.gradient]);
    const z = preconditioned(run, settings, y);
    const kept = { s: this.stored(s), z: this.stored(z) };
    this.release([z], [y, kept.z]);
    const pq = preconditioned(run, settings, q);
    return { s, y, pair: { ...kept, pq } };
  }

  /** A vector as the history keeps it. */
  private stored(vector: V): V {
    const { space } = this.run;
    return this.settings.history.bits === 8 && space.pack ? space.pack(vector) : vector;
  }

  /** A point without its pair, for less memory while the line search goes on. */
  private reduced(neighbour: Neighbour<V>): Neighbour<V> {
    this.release(Object.values(neighbour.pair ?? {}), [neighbour.gradient]);
    return { ...neighbour, pair: undefined };
  }

  /** The pair of a point that was {@link reduced}. */
  private pairAgain({ x, gradient }: Neighbour<V>): NewPair<V> {
    const q = this.run.freePart(gradient, { x, gradient });
    const { s, y, pair } = this.difference({ x, gradient, q });
    this.release([s, y, q], [gradient, ...Object.values(pair)]);
    return pair;
  }

  /** P q at a point. */
  private steepest({ x, gradient }: Point<V>): V {
    const q = this.run.freePart(gradient, { x, gradient });
    const pq = preconditioned(this.run, this.settings, q);
    this.release([q], [gradient, pq]);
    return pq;
  }

  private moveTo(next: Neighbour<V>): void {
    const { history, current, run } = this;
    const { ss, yy, byY, byQ, pair } = next;
    const { s, z, pq } = pair ?? this.pairAgain(next);
    this.release([current.x, current.gradient]);
    // The curvatures s.y and y.P y of what is stored.
    const [sy, zy] = byY.slice(-2);
    if (sy > run.space.epsilon * Math.sqrt(ss * yy) && zy > 0) {
      history.add(s, z, byY, byQ);
    } else {
      history.setGradient(byQ);
      this.release([s, z], [next.gradient, pq]);
    }
    this.length = Math.sqrt(ss);
    this.current = next;
    this.pq = pq;
  }

  /** Frees vectors but those that are `kept` too: without bounds or preconditioner, several names have one vector. */
  private release(vectors: readonly V[], kept: readonly (V | undefined)[] = []): void {
    this.run.space.dispose(...vectors.filter((vector) => !kept.includes(vector)));
  }
}

/** Changes below this many rounding errors of the value cannot be trusted. */
const roundingErrors = 10;

/** The options of `lbfgs`, complete. */
export interface LbfgsSettings<X> {
  readonly history: History;
  readonly preconditioner?: Preconditioner<X> | undefined;
  readonly firstStep: number;
}

/** An evaluated point, in the run's unit. */
interface Point<V> extends Position<V>, Pick<Evaluated<V>, 'gradient'> {
  /** q.P q and |P q|^2 */
  readonly qpq: number;
  readonly pqpq: number;
}

/** A trial point of a line search. */
interface Neighbour<V> extends Point<V> {
  readonly trial: Trial;
  readonly ss: number;
  readonly yy: number;
  /** Inner products of the history's vectors, s and z with y and with q. */
  readonly byY: readonly number[];
  readonly byQ: readonly number[];
  /** Undefined after {@link LbfgsStepper.reduced}. */
  readonly pair: NewPair<V> | undefined;
}

/** What a trial point brings to the history and the next direction, if it is accepted. */
interface NewPair<V> {
  /** Change of x, and P times the change y of the gradient. */
  readonly s: V;
  readonly z: V;
  /** P q; q itself without a preconditioner. */
  readonly pq: V;
}

const preconditioned = <V, S, X>(
  { space }: Run<V, S, X>,
  { preconditioner }: LbfgsSettings<X>,
  vector: V,
): V => (preconditioner ? space.precondition(preconditioner, vector) : vector);
