import type { GeneratorNetwork } from '../../features/generator-network';
import { type GeneratorParameter, generatorParameters } from '../../features/generator-parameters';
import { sizeOf } from '../../weights/tensor-file';

/** What a training of several styles has for each of them, beside what they share. */
export interface StyleRows {
  /** The parameters that each style has of its own: scales and shifts of instance norms. */
  readonly names: ReadonlySet<string>;
  /** Those of each style that is trained, at the start, in the order of the network's parameters. */
  readonly rows: readonly Float32Array[];
  /** Whether the parameters that styles share are trained too. */
  readonly shared: boolean;
}

/** A part of the vector that is trained, which a step moves. */
export interface MovedPart {
  /** Index of its first number in the vector. */
  readonly at: number;
  readonly gradient: Float32Array;
  /** Steps that have moved it before. */
  readonly visits: number;
  /** What the rate of the training is multiplied by. */
  readonly pace: number;
}

/** Scales and shifts of one style among several learn faster than what all share, because fewer steps move them. */
const ownPace = 2;

/**
 * The numbers that a training moves, in one vector: all of the network's parameters; or, of several styles, those that
 * the styles share, and then for each style a row of its own. Steps take the styles in turn (Dumoulin et al. 2017), and
 * the gradient of a step is that of the network with one style's row in place: no engine needs to know of styles.
 */
export class TrainedParameters {
  /** The vector at the start. */
  readonly initial: Float32Array<ArrayBuffer>;
  /** How many styles are trained. */
  readonly styles: number;
  private readonly common: readonly GeneratorParameter[];
  private readonly own: readonly GeneratorParameter[];
  /** Numbers before the first row. */
  private readonly before: number;
  private readonly row: number;

  /** @param vector all parameters of the network at the start; what is not trained remains as in it */
  constructor(
    network: GeneratorNetwork,
    private readonly vector: Float32Array<ArrayBuffer>,
    { names, rows, shared }: StyleRows = { names: new Set(), rows: [new Float32Array(0)], shared: true },
  ) {
    const parameters = generatorParameters(network);
    this.own = parameters.filter(({ name }) => names.has(name));
    this.common = shared ? parameters.filter(({ name }) => !names.has(name)) : [];
    this.styles = rows.length;
    this.row = rows[0].length;
    const common = gather(vector, this.common);
    this.before = common.length;
    this.initial = new Float32Array(this.before + this.row * rows.length);
    this.initial.set(common);
    for (const [i, row] of rows.entries()) this.initial.set(row, this.rowAt(i));
  }

  /** The style of a step, by its number: each in turn. */
  styleAt(step: number): number {
    return step % this.styles;
  }

  /** All parameters of the network for a style. */
  ofNetwork(values: Float32Array, style: number): Float32Array<ArrayBuffer> {
    const vector = this.vector.slice();
    scatter(values, vector, this.common);
    scatter(this.rowOf(values, style), vector, this.own);
    return vector;
  }

  /** A style's own numbers, which share the vector's memory. */
  rowOf(values: Float32Array, style: number): Float32Array {
    return values.subarray(this.rowAt(style), this.rowAt(style) + this.row);
  }

  /** What a step moves, with the gradient of the network's parameters. */
  moved(gradient: Float32Array, step: number): readonly MovedPart[] {
    const parts: MovedPart[] = [];
    if (this.before > 0)
      parts.push({ at: 0, gradient: gather(gradient, this.common), visits: step, pace: 1 });
    if (this.row === 0) return parts;
    const at = this.rowAt(this.styleAt(step));
    const visits = Math.floor(step / this.styles);
    return [...parts, { at, gradient: gather(gradient, this.own), visits, pace: ownPace }];
  }

  private rowAt(style: number): number {
    return this.before + style * this.row;
  }
}

/** The values of some parameters, one after another. */
export function gather(
  vector: Float32Array,
  parameters: readonly GeneratorParameter[],
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let to = 0;
  for (const { shape, offset } of parameters) {
    values.set(vector.subarray(offset, offset + sizeOf(shape)), to);
    to += sizeOf(shape);
  }
  return values;
}

/** Puts values that {@link gather} gave to their places. */
function scatter(
  values: Float32Array,
  vector: Float32Array,
  parameters: readonly GeneratorParameter[],
): void {
  let from = 0;
  for (const { shape, offset } of parameters) {
    vector.set(values.subarray(from, from + sizeOf(shape)), offset);
    from += sizeOf(shape);
  }
}
