import type { Bounds, Quantity, VectorSpace } from './vector-space';

/** One minimisation: the space it works in, and its evaluations, counted and limited. */
export class Run<V, S> {
  readonly space: VectorSpace<V, S>;
  readonly bounds: Bounds<V> | undefined;
  private readonly settings: RunSettings<V, S>;
  private evaluationCount = 0;
  private pending: readonly S[] = [];
  private lastTurn = performance.now();

  constructor(settings: RunSettings<V, S>) {
    this.settings = settings;
    this.space = settings.space;
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
    const { value, gradient, terms = {} } = await this.settings.objective(x);
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

  /** Frees everything that the run still holds. */
  close(): void {
    this.disposePending();
    this.space.close();
  }

  private disposePending(): void {
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
export interface RunSettings<V, S> {
  readonly space: VectorSpace<V, S>;
  readonly objective: ObjectiveFunction<V, S>;
  readonly bounds: Bounds<V> | undefined;
  readonly maxEvaluations: number;
  readonly signal: AbortSignal | undefined;
}

/** A function with its gradient; it may take its time. What it returns belongs to the run. */
export type ObjectiveFunction<V, S> = (x: V) => ObjectiveValue<V, S> | Promise<ObjectiveValue<V, S>>;

/** What an objective returns in a space of vectors `V` and scalars `S`. */
export interface ObjectiveValue<V, S> {
  readonly value: S;
  readonly gradient: V;
  /** What `value` is made of, for reports. */
  readonly terms?: Readonly<Record<string, S>> | undefined;
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
