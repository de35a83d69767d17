import { ComputationError } from '../errors';
import type { Problem } from './problem';
import { type Bounds, type Quantity, type VectorSpace, wrongShape } from './vector-space';

/**
 * One minimisation: its space and bounds, and its evaluations, counted and limited.
 *
 * Methods receive gradients multiplied by the run's unit. It is 1 unless squares of the gradient would leave the range
 * of float32; then it is the power of two that brings the gradient at the start near 1, which is exact. Values, terms
 * and norms are never multiplied.
 */
export class Run<V, S, X = unknown> {
  readonly space: VectorSpace<V, S, X>;
  readonly bounds: Bounds<V> | undefined;
  private readonly settings: RunSettings<V, S, X>;
  private evaluationCount = 0;
  private factor = 1;
  private lastTurn = performance.now();

  constructor(settings: RunSettings<V, S, X>) {
    this.settings = settings;
    this.space = settings.problem.space;
    this.bounds = settings.bounds;
  }

  /** Number of evaluations of the objective so far. */
  get evaluations(): number {
    return this.evaluationCount;
  }

  /** Whether no evaluation is left. */
  get exhausted(): boolean {
    return this.evaluationCount >= this.settings.maxEvaluations;
  }

  /** The factor by which gradients of the objective are multiplied. */
  get unit(): number {
    return this.factor;
  }

  /**
   * The first evaluation and its measurements. Sets the unit if necessary, and then measures again.
   * @throws ComputationError `NOT_FINITE` if value or gradient is not finite: there is no point to go back to
   */
  async begin<const Q extends readonly Quantity<V, S>[]>(
    start: V,
    quantitiesAt: (at: Unread<V, S>) => Q,
  ): Promise<Reading<V, Q>> {
    const unread = await this.evaluate(start);
    let reading = await this.read(unread, quantitiesAt(unread));
    const exponent = Math.round(Math.log2(reading.largest));
    if (Number.isFinite(exponent) && Math.abs(exponent) > safeExponent) {
      // Limited to factors that float32 can represent.
      this.factor = 2 ** -Math.min(Math.max(exponent, -126), 126);
      const { x, gradient, q, value, terms } = reading;
      if (q !== gradient) this.space.dispose(q);
      const rescaled = { ...this.reduce(x, gradient), scalars: [], names: [] };
      reading = { ...(await this.read(rescaled, quantitiesAt(rescaled))), value, terms };
    }
    if (reading.finite && Number.isFinite(reading.value)) return reading;
    throw new ComputationError(
      'NOT_FINITE',
      `The objective (${reading.value}) or its gradient is not finite at the start; there is no point to go back to.`,
      { option: 'start', value: reading.value, accepted: 'a start where value and gradient are finite' },
    );
  }

  /** Evaluates the objective. Nothing is read back from the device until {@link read}. */
  async evaluate(x: V): Promise<Unread<V, S>> {
    await this.takeTurn();
    this.settings.signal?.throwIfAborted();
    this.evaluationCount++;
    const found = await this.settings.problem.evaluate(x, this.settings.signal);
    if (typeof found !== 'object' || found === null) throw wrongShape(found, '{ value, gradient }');
    const terms = Object.entries(found.terms ?? {});
    const scalars = [found.value, ...terms.map(([, term]) => term)];
    let gradient: V;
    try {
      this.space.adoptScalars(scalars);
    } finally {
      // Also if the scalars are refused, so that the run frees the gradient.
      gradient = this.space.adopt(found.gradient);
    }
    return { ...this.reduce(x, gradient), scalars, names: terms.map(([name]) => name) };
  }

  /** Reads value, terms and `quantities` in one read-back. */
  async read<Q extends readonly Quantity<V, S>[]>(
    unread: Unread<V, S>,
    quantities: Q,
  ): Promise<Reading<V, Q>> {
    const { space, bounds } = this;
    const { scalars, names, ...point } = unread;
    const { x, gradient, q } = point;
    const [[value = 0, ...terms], norms, ownNorms, ...measured] = await space.measure([
      { kind: 'scalars', of: scalars },
      { kind: 'largest', of: bounds ? [q, gradient] : [q] },
      bounds
        ? { kind: 'projectedGradient', x, gradient, scale: 1 / this.factor, bounds }
        : { kind: 'scalars', of: [] },
      ...quantities,
    ]);
    space.disposeScalars(scalars);
    const [free, largest = free] = norms;
    const [gradientNorm = free / this.factor] = ownNorms;
    return {
      ...point,
      value,
      terms: Object.fromEntries(names.map((name, i) => [name, terms[i]])),
      largest,
      freeNorm: free / this.factor,
      gradientNorm,
      measured: measured as Measured<Q>,
      finite: [value, ...norms, ...ownNorms, ...measured.flat()].every(Number.isFinite),
    };
  }

  /**
   * The components of a vector that no bound holds at a point, with zeros in place of the others: a new vector, or
   * without bounds the vector itself.
   */
  freePart(vector: V, { x, gradient }: Pick<Evaluated<V>, 'x' | 'gradient'>): V {
    const { space, bounds } = this;
    if (!bounds) return vector;
    const free = space.freeMask(x, gradient, bounds);
    const part = space.multiply(free, vector);
    space.dispose(free);
    return part;
  }

  /** The gradient in the run's unit and its free part under the bounds. Consumes `gradient`. */
  private reduce(x: V, gradient: V): Evaluated<V> {
    const { space, factor } = this;
    const inUnit = factor === 1 ? gradient : space.combine([factor], [gradient]);
    if (inUnit !== gradient) space.dispose(gradient);
    return { x, gradient: inUnit, q: this.freePart(inUnit, { x, gradient: inUnit }) };
  }

  private async takeTurn(): Promise<void> {
    if (performance.now() - this.lastTurn < turnMs) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.lastTurn = performance.now();
  }
}

/** How long the thread is kept before other tasks (abort signals, drawing) get a turn: a frame of a display. */
const turnMs = 16;

/** Gradients whose largest component is within 2^-30 and 2^30 have squares, and sums of them, that float32 holds. */
const safeExponent = 30;

/** The parts of a {@link Run}. */
export interface RunSettings<V, S, X> {
  readonly problem: Problem<V, S, X>;
  readonly bounds: Bounds<V> | undefined;
  readonly maxEvaluations: number;
  readonly signal: AbortSignal | undefined;
}

/** A point and the gradient there, in the run's unit. */
export interface Evaluated<V> {
  readonly x: V;
  readonly gradient: V;
  /** The free components of the gradient; the gradient itself without bounds. */
  readonly q: V;
}

/** An evaluation whose numbers are still on the device. */
export interface Unread<V, S> extends Evaluated<V> {
  readonly scalars: readonly S[];
  readonly names: readonly string[];
}

/** An evaluation with its numbers. */
export interface Reading<V, Q> extends Evaluated<V> {
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Largest magnitude of a component of the gradient, in the run's unit. */
  readonly largest: number;
  /** Largest magnitude of a component of the gradient that no bound holds. */
  readonly freeNorm: number;
  /** Largest magnitude of a component of x - project(x - gradient). */
  readonly gradientNorm: number;
  readonly measured: Measured<Q>;
  /** Whether the value and all measured quantities are finite numbers. */
  readonly finite: boolean;
}

type Measured<Q> = { [I in keyof Q]: number[] };
