import type { Problem } from './problem';
import type { Bounds, Quantity, VectorSpace } from './vector-space';

/** One minimisation: the space it works in, and its evaluations, counted and limited. */
export class Run<V, S, X = unknown> {
  readonly space: VectorSpace<V, S, X>;
  readonly bounds: Bounds<V> | undefined;
  private readonly settings: RunSettings<V, S, X>;
  private evaluationCount = 0;
  private pending: readonly S[] = [];
  private lastTurn = performance.now();

  constructor(settings: RunSettings<V, S, X>) {
    this.settings = settings;
    this.space = settings.problem.space;
    this.bounds = settings.bounds;
  }

  /** How often the objective has been asked. */
  get evaluations(): number {
    return this.evaluationCount;
  }

  /** Whether no evaluation is left. */
  get exhausted(): boolean {
    return this.evaluationCount >= this.settings.maxEvaluations;
  }

  /** Asks the objective. Nothing is read back from the device until {@link read}. */
  async evaluate(x: V): Promise<Unread<V, S>> {
    await this.takeTurn();
    this.settings.signal?.throwIfAborted();
    this.evaluationCount++;
    const { value, gradient, terms = {} } = await this.settings.problem.evaluate(x);
    const names = Object.keys(terms);
    this.pending = [value, ...names.map((name) => terms[name])];
    return { x, gradient: this.space.adopt(gradient), scalars: this.pending, names };
  }

  /** Reads value and terms, and in the same go whatever `quantities` asks for. */
  async read<Q extends readonly Quantity<V, S>[]>(
    unread: Unread<V, S>,
    quantities: Q,
  ): Promise<Reading<V, Q>> {
    const { space } = this;
    const { x, gradient, names } = unread;
    const reduced = this.projectedGradient(x, gradient);
    const [[value, ...terms], [gradientNorm], ...measured] = await space.measure([
      { kind: 'scalars', of: unread.scalars },
      { kind: 'largest', of: reduced },
      ...quantities,
    ]);
    if (reduced !== gradient) space.dispose(reduced);
    this.disposePending();
    return {
      x,
      gradient,
      value,
      terms: Object.fromEntries(names.map((name, i) => [name, terms[i]])),
      gradientNorm,
      measured: measured as Measured<Q>,
      finite: [value, gradientNorm, ...measured.flat()].every(Number.isFinite),
    };
  }

  /** Frees the scalars of an evaluation that was not read. */
  disposePending(): void {
    for (const scalar of new Set(this.pending)) this.space.disposeScalar(scalar);
    this.pending = [];
  }

  private projectedGradient(x: V, gradient: V): V {
    const { space, bounds } = this;
    if (!bounds) return gradient;
    const ahead = space.combine([1, -1], [x, gradient]);
    const projected = space.project(ahead, bounds);
    space.dispose(ahead);
    const reduced = space.combine([1, -1], [x, projected]);
    space.dispose(projected);
    return reduced;
  }

  private async takeTurn(): Promise<void> {
    if (performance.now() - this.lastTurn < turnMs) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.lastTurn = performance.now();
  }
}

/** How long the thread is kept before other tasks (abort signals, drawing) get a turn: a frame of a display. */
const turnMs = 16;

/** What a {@link Run} is made of. */
export interface RunSettings<V, S, X> {
  readonly problem: Problem<V, S, X>;
  readonly bounds: Bounds<V> | undefined;
  readonly maxEvaluations: number;
  readonly signal: AbortSignal | undefined;
}

/** An evaluation whose numbers are still on the device. */
export interface Unread<V, S> {
  readonly x: V;
  readonly gradient: V;
  readonly scalars: readonly S[];
  readonly names: readonly string[];
}

/** An evaluation with its numbers. */
export interface Reading<V, Q> {
  readonly x: V;
  readonly gradient: V;
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
  readonly measured: Measured<Q>;
  /** Whether the value and all that was measured are finite numbers. */
  readonly finite: boolean;
}

type Measured<Q> = { [I in keyof Q]: number[] };
