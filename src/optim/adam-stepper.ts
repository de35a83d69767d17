import type { Position, Stepper } from './method';
import type { Evaluated, Reading, Run } from './run';
import type { Quantity } from './vector-space';

/** The state of a run of Adam; the algorithm is documented at `adam`. */
export class AdamStepper<V, S, X> implements Stepper<V> {
  private current: Point<V>;
  private lowest: Point<V>;
  private rate: number;
  private moments: Moments<V> | undefined;

  private constructor(
    private readonly run: Run<V, S, X>,
    private readonly settings: AdamSettings,
    start: Point<V>,
  ) {
    this.current = start;
    this.lowest = start;
    this.rate = settings.learningRate;
  }

  /** Evaluates the start. */
  static async begin<V, S, X>(
    run: Run<V, S, X>,
    start: V,
    settings: AdamSettings,
  ): Promise<AdamStepper<V, S, X>> {
    const reading = await run.begin(start, ({ gradient }) => squareOf(gradient));
    return new AdamStepper(run, settings, pointOf(run, reading, 0));
  }

  get position(): Position<V> {
    return this.current;
  }

  get best(): Position<V> {
    return this.lowest;
  }

  async advance(): Promise<'stepped' | 'stalled' | 'exhausted'> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (this.run.exhausted) return 'exhausted';
      const next = await this.look();
      if (next) {
        this.moveTo(next);
        return 'stepped';
      }
      this.forget();
      this.rate /= 2;
    }
    return 'stalled';
  }

  private async look(): Promise<Point<V> | undefined> {
    const { run, current, rate } = this;
    const { space, bounds } = run;
    const { mean, square, count } = this.updateMoments();
    const { beta1, beta2, epsilon } = this.settings;
    const unbiasedSquare = space.combine([1 / (1 - beta2 ** count)], [square]);
    const direction = space.divideByRoot(mean, unbiasedSquare, run.unit * epsilon);
    const ahead = space.combine([1, -rate / (1 - beta1 ** count)], [current.x, direction]);
    const x = bounds ? space.project(ahead, bounds) : ahead;
    space.dispose(unbiasedSquare, direction);
    if (x !== ahead) space.dispose(ahead);

    const unread = await run.evaluate(x);
    const reading = await run.read(unread, squareOf(unread.gradient));
    const point = pointOf(run, reading, rate);
    if (reading.finite) return point;
    space.dispose(x, point.gradient);
    return undefined;
  }

  private updateMoments(): Moments<V> {
    const { space } = this.run;
    const { beta1, beta2 } = this.settings;
    const { gradient } = this.current;
    const old = this.moments;
    const squared = space.multiply(gradient, gradient);
    this.moments = old
      ? {
          mean: space.combine([beta1, 1 - beta1], [old.mean, gradient]),
          square: space.combine([beta2, 1 - beta2], [old.square, squared]),
          count: old.count + 1,
        }
      : {
          mean: space.combine([1 - beta1], [gradient]),
          square: space.combine([1 - beta2], [squared]),
          count: 1,
        };
    space.dispose(squared, ...(old ? [old.mean, old.square] : []));
    return this.moments;
  }

  private forget(): void {
    if (this.moments) this.run.space.dispose(this.moments.mean, this.moments.square);
    this.moments = undefined;
  }

  private moveTo(next: Point<V>): void {
    const { current, run } = this;
    const lowest = next.value < this.lowest.value ? next : this.lowest;
    run.space.dispose(current.gradient);
    for (const old of [current, this.lowest]) if (old !== lowest) run.space.dispose(old.x);
    this.lowest = lowest;
    this.current = next;
  }
}

/** Measures the squared length, which is not finite if any component is not finite; a maximum may ignore NaN. */
const squareOf = <V>(gradient: V): readonly [Quantity<V, never>] => [
  { kind: 'products', left: [gradient], right: [gradient] },
];

/** The point of a reading. Frees the free part of the gradient, which Adam does not need. */
function pointOf<V, S, X>({ space }: Run<V, S, X>, reading: Reading<V, unknown>, rate: number): Point<V> {
  const { q, gradient } = reading;
  if (q !== gradient) space.dispose(q);
  // Steps of Adam are at most about the rate in every component (Kingma & Ba 2015, section 2.1).
  return { ...reading, step: rate, moved: rate };
}

/** Consecutive halvings of the rate after which the method gives up the search for a finite point. */
const maxAttempts = 20;

/** The options of `adam`, complete. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

type Point<V> = Position<V> & Pick<Evaluated<V>, 'gradient'>;

/** Running means of gradient and squared gradient, not yet corrected for their start at 0. */
interface Moments<V> {
  readonly mean: V;
  readonly square: V;
  readonly count: number;
}
