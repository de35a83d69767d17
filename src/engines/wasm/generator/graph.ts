import type {
  ActivationStep,
  GeneratorConvStep,
  TransposedConvStep,
} from '../../../features/generator-network';
import { padsOf, type ResolvedStep } from '../../../features/generator-steps';

/** A map that an operation computes and that lies in memory. */
export interface FeatureMap {
  readonly channels: number;
  /** Channels in memory: a multiple of four, or the image's three. */
  readonly stored: number;
  /** How many times smaller than the image's its height and width are. */
  readonly reduction: number;
  /** Whether its values depend on parameters. */
  readonly trained: boolean;
  /** Whether sums over it are needed by a norm. */
  measured: boolean;
}

/** An instance norm of a map. */
export interface Norm {
  readonly map: FeatureMap;
  /** Names of its tensors. */
  readonly scale: string;
  readonly shift: string;
  readonly epsilon: number;
}

/** A function of each value. */
export interface Activation {
  readonly kind: ActivationStep['op'];
  readonly slope: number;
}

/** A map's values through a norm and a function. The image's are converted to the network's input. */
export interface Term {
  readonly map: FeatureMap;
  readonly norm?: Norm | undefined;
  readonly activation?: Activation | undefined;
  /** Whether its values depend on parameters. */
  readonly trained: boolean;
}

/** A term in a sum. */
export interface Summand {
  readonly term: Term;
  /** Whether each value stands twice in both directions. */
  readonly doubled: boolean;
}

/** What operations read: the sum of one or two terms, computed as it is read and not stored. */
export type Value = readonly Summand[];

/** What computes a map. */
export type Operation = Convolution | Join | Pool | Noise;

/** A convolution or transposed convolution. */
export interface Convolution {
  readonly op: 'convolution';
  readonly step: GeneratorConvStep | TransposedConvStep;
  /** What the step reads. */
  readonly windows: Value;
  /** What its sweeps read: {@link windows}, or, if `enlarged`, the same at half of the size. */
  readonly input: Value;
  readonly enlarged: boolean;
  readonly output: FeatureMap;
}

/** Stores values, side by side where there are two. */
export interface Join {
  readonly op: 'join';
  readonly inputs: readonly Value[];
  readonly output: FeatureMap;
}

/** The mean of windows. */
export interface Pool {
  readonly op: 'pool';
  readonly factor: number;
  readonly input: Value;
  readonly output: FeatureMap;
}

/** Noise. */
export interface Noise {
  readonly op: 'noise';
  /** Index of the step. */
  readonly step: number;
  readonly output: FeatureMap;
}

/** A network as operations on stored maps: norms, functions, sums and enlargements are parts of what reads them. */
export interface Graph {
  readonly image: FeatureMap;
  readonly operations: readonly Operation[];
  readonly output: Value;
}

/** Compiles the steps of a network. */
export function compileGraph(steps: readonly ResolvedStep[]): Graph {
  const operations: Operation[] = [];
  const image: FeatureMap = { channels: 3, stored: 3, reduction: 1, trained: false, measured: false };
  const values: Value[] = [];
  const input: Value = [plain(image)];
  const valueAt = (index: number) => (index < 0 ? input : values[index]);
  const readers = (index: number) =>
    steps.reduce((count, { inputs }) => count + inputs.filter((read) => read === index).length, 0);

  /** A map that is stored in place of values. */
  const store = (inputs: readonly Value[]): FeatureMap => {
    const output = mapOf(
      inputs.reduce((sum, value) => sum + value[0].term.map.channels, 0),
      reductionOf(inputs[0]),
      inputs.some((value) => value.some(({ term }) => term.trained)),
    );
    operations.push({ op: 'join', inputs, output });
    return output;
  };
  /** A single summand of the same values, whose term satisfies a condition. */
  const single = (value: Value, fits: (term: Term) => boolean): Summand => {
    const [first, second] = value;
    if (!second && fits(first.term)) return first;
    if (second) return plain(store([value]));
    return { term: plain(store([[{ ...first, doubled: false }]])).term, doubled: first.doubled };
  };
  const isImage = ({ map }: Term) => map === image;

  for (const [i, { step, inputs, channels, reduction }] of steps.entries()) {
    const value = valueAt(inputs[0]);
    const compute = (): Value => {
      switch (step.op) {
        case 'conv':
        case 'transposedConv': {
          // The filter gradient of a transposed convolution reads a stored map.
          const stored = (term: Term) => !term.norm && !term.activation && !isImage(term);
          const read = step.op === 'conv' ? value : [single(value, stored)];
          const output = mapOf(channels, reduction, true);
          const enlarged = step.op === 'conv' && readsTwice(step) && read.every(({ doubled }) => doubled);
          // A list of its own, also where two convolutions read one step: plans of memory know it by identity.
          const input = read.map(({ term, doubled }) => ({ term, doubled: doubled && !enlarged }));
          operations.push({ op: 'convolution', step, windows: read, input, enlarged, output });
          return [plain(output)];
        }
        case 'instanceNorm': {
          const { term, doubled } = single(value, (t) => !t.norm && !t.activation && !isImage(t));
          term.map.measured = true;
          const { scale, shift, epsilon = 1e-5 } = step;
          return [
            {
              term: { map: term.map, norm: { map: term.map, scale, shift, epsilon }, trained: true },
              doubled,
            },
          ];
        }
        case 'relu':
        case 'leakyRelu':
        case 'sigmoid':
        case 'tanh': {
          const { term, doubled } = single(value, (t) => !t.activation && !isImage(t));
          const activation = { kind: step.op, slope: step.slope ?? 0.01 };
          return [{ term: { ...term, activation }, doubled }];
        }
        case 'add': {
          const [a, b] = [value, valueAt(inputs[1])].map((part) => single(part, (t) => !isImage(t)));
          return [a, b];
        }
        case 'concat':
          return [plain(store([value, valueAt(inputs[1])]))];
        case 'upsample': {
          const whole = value.some(({ term, doubled }) => doubled || isImage(term))
            ? [plain(store([value]))]
            : value;
          return whole.map(({ term }) => ({ term, doubled: true }));
        }
        case 'averagePool': {
          const read = value.some(({ doubled }) => doubled) ? [plain(store([value]))] : value;
          const output = mapOf(
            channels,
            reduction,
            read.some(({ term }) => term.trained),
          );
          operations.push({ op: 'pool', factor: step.factor, input: read, output });
          return [plain(output)];
        }
        case 'noise': {
          const output = mapOf(channels, reduction, false);
          operations.push({ op: 'noise', step: i, output });
          return [plain(output)];
        }
      }
    };
    const computed = compute();
    // A sum that is read several times is computed once.
    values.push(computed.length > 1 && readers(i) > 1 ? [plain(store([computed]))] : computed);
  }
  return { image, operations, output: valueAt(steps.length - 1) };
}

/** Whether every window of a map at twice its size has positions that are the same. */
function readsTwice(step: GeneratorConvStep): boolean {
  return step.size === 3 && (step.stride ?? 1) === 1 && padsOf(step)[0] === 1;
}

/** Values that an operation reads. */
export function inputsOf(operation: Operation): readonly Value[] {
  if (operation.op === 'noise') return [];
  return operation.op === 'join' ? operation.inputs : [operation.input];
}

/** Times smaller than the image that a value is. */
export const reductionOf = ([{ term, doubled }]: Value): number => term.map.reduction / (doubled ? 2 : 1);

/** The values of a map as they are. */
const plain = (map: FeatureMap): Summand => ({ term: { map, trained: map.trained }, doubled: false });

const mapOf = (channels: number, reduction: number, trained: boolean): FeatureMap => ({
  channels,
  stored: 4 * Math.ceil(channels / 4),
  reduction,
  trained,
  measured: false,
});
