import { slopesName } from '../../../features/generator';
import type { GeneratorStep } from '../../../features/generator-network';
import type { PredictorStep } from '../../../features/style-predictor';
import type { NamedTensor } from '../../../weights/tensor-file';
import { affineOf, type Expression, instanceNormOf, isTheMap, theMap } from './expression';
import { Inexpressible, type Known, multiply, numbersOf } from './known';

/** A step of either kind of network. */
export type Step = GeneratorStep | PredictorStep;

/** A step before it has a name and a place. */
export type NamelessStep = Step extends infer Each
  ? Each extends Step
    ? Omit<Each, 'name' | 'from'>
    : never
  : never;

/** A feature map that a step computes. */
export interface StepMap {
  /** Name of the step, `'input'` for the image. */
  readonly step: string;
  readonly channels: number;
  /** Rows and columns for an image of the size that the file states, or of some size. */
  readonly height: number;
  readonly width: number;
  /** How many operations of the graph read it. */
  readonly readers: number;
}

/** A feature map of the graph: an expression of a step's map. */
export interface MapValue {
  readonly map: StepMap;
  readonly expression: Expression;
  /** The axis of the channels: 1 in ONNX's own order, 3 in TensorFlow's. */
  readonly axis: 1 | 3;
  /** Rows and columns that a following convolution reads beyond the map's border. */
  readonly border?: Border | undefined;
  /** Bounds that the values are clipped to. */
  readonly clip?: readonly [min: number, max: number] | undefined;
}

/** What stands around a map. */
export interface Border {
  readonly padding: 'zero' | 'replicate' | 'reflect';
  readonly pads: readonly [before: number, behind: number];
}

/** The steps and weights that a graph has come to so far. */
export class NetworkBuilder {
  readonly steps: Step[] = [];
  readonly weights = new Map<string, NamedTensor>();
  /** Length of the condition's vector; 0 as long as nothing depends on one. */
  vectorLength = 0;
  /** The image as the first step reads it: scale and shift for each of the graph's input channels. */
  input: { scale: readonly number[]; shift: readonly number[] } | undefined;
  /** The map of the image with scale and shift, and whether a step reads that without. */
  private scaledInput: StepMap | undefined;
  private readPlain = false;
  private readonly made = new Map<Expression, StepMap>();
  private readonly counts = new Map<string, number>();

  /** @param prefix what the names of tensors begin with */
  constructor(private readonly prefix = '') {}

  /** Adds a step that reads `from`. @returns its map */
  append(step: NamelessStep, from: StepMap, change: Partial<StepMap> & Pick<StepMap, 'readers'>): StepMap {
    const { op } = step;
    const count = (this.counts.get(op) ?? 0) + 1;
    this.counts.set(op, count);
    const name = `${op}${count}`;
    const before = this.steps.at(-1)?.name ?? 'input';
    this.steps.push({ name, ...(before === from.step ? {} : { from: from.step }), ...step } as Step);
    return { ...from, ...change, step: name };
  }

  /** Stores a tensor of the step that is appended next. @returns its name */
  store(op: Step['op'], part: string, tensor: NamedTensor): string {
    const name = `${this.prefix}${op}${(this.counts.get(op) ?? 0) + 1}/${part}`;
    this.weights.set(name, tensor);
    return name;
  }

  /** The map of a step that computes a value. */
  mapOf(value: MapValue): StepMap {
    const { map, expression, border, clip } = value;
    if (border) throw new Inexpressible('a border that no convolution follows');
    if (clip) throw new Inexpressible('values clipped inside the network');
    if (isTheMap(expression)) {
      if (map.step === 'input' && map !== this.scaledInput) {
        this.readPlain = true;
        this.requireOneInput();
      }
      return map;
    }
    const found = this.made.get(expression);
    if (found) return found;
    const made = this.compute(map, expression);
    this.made.set(expression, made);
    return made;
  }

  /** A network says once what its input is: every step that reads it reads the same. */
  private requireOneInput(): void {
    if (this.readPlain && this.input) throw new Inexpressible('an image that is read as it is and scaled');
  }

  private compute(map: StepMap, expression: Expression): StepMap {
    const norm = instanceNormOf(expression);
    if (norm) return this.appendNorm(map, norm);
    if (expression.size === 1 && expression.has('mean'))
      return this.append({ op: 'globalAveragePool' }, map, { height: 1, width: 1, readers: 1 });
    const affine = affineOf(expression);
    if (!affine) throw new Inexpressible('arithmetic of a map that is neither a norm nor scale and shift');
    const scale = perChannel(numbersOf(affine.scale, 'a scale'), map.channels);
    const shift = perChannel(numbersOf(affine.shift, 'a shift'), map.channels);
    if (map.step === 'input') {
      if (this.input) throw new Inexpressible('an image that is scaled in two ways');
      this.input = { scale, shift };
      this.requireOneInput();
      this.scaledInput = { ...map };
      return this.scaledInput;
    }
    const step = this.steps.find(({ name }) => name === map.step);
    if (map.readers === 1 && (step?.op === 'conv' || step?.op === 'transposedConv'))
      return this.fold(step, map, scale, shift);
    const { channels } = map;
    const kernel = new Float32Array(channels * channels);
    for (const [channel, factor] of scale.entries()) kernel[channel * (channels + 1)] = factor;
    return this.append(
      {
        op: 'conv',
        channelsIn: channels,
        channelsOut: channels,
        size: 1,
        padding: 'zero',
        kernel: this.store('conv', 'kernel', { shape: [1, 1, channels, channels], values: kernel }),
        bias: this.store('conv', 'bias', { shape: [channels], values: Float32Array.from(shift) }),
      },
      map,
      { readers: 1 },
    );
  }

  /** Scales and shifts a convolution's output, which nothing else reads, by its weights. */
  private fold(
    step: Extract<Step, { op: 'conv' | 'transposedConv' }>,
    map: StepMap,
    scale: readonly number[],
    shift: readonly number[],
  ): StepMap {
    const kernel = this.weights.get(step.kernel);
    if (!kernel || this.folded.has(map.step)) throw new Inexpressible('a map that is scaled in two ways');
    this.folded.add(map.step);
    const channels = scale.length;
    const values = kernel.values.map((value, i) => value * scale[i % channels]);
    this.weights.set(step.kernel, { shape: kernel.shape, values });
    const bias = step.bias === undefined ? undefined : this.weights.get(step.bias)?.values;
    const name = step.bias ?? `${this.prefix}${step.name}/bias`;
    const biases = Float32Array.from(shift, (value, i) => value + (bias?.[i] ?? 0) * scale[i]);
    this.weights.set(name, { shape: [channels], values: biases });
    this.steps[this.steps.indexOf(step)] = { ...step, bias: name };
    return map;
  }

  private readonly folded = new Set<string>();

  private appendNorm(map: StepMap, norm: { scale: Known; shift: Known; epsilon: number }): StepMap {
    const { channels } = map;
    const ones = { shape: [channels], values: new Float64Array(channels).fill(1) };
    const [scale, shift] = (['scale', 'shift'] as const).map((part) => {
      const { values, slopes } = multiply(norm[part], ones);
      const name = this.store('instanceNorm', part, { shape: [channels], values: Float32Array.from(values) });
      if (!slopes) return name;
      const byCondition = slopesByCondition(slopes, channels);
      this.weights.set(slopesName(name), byCondition);
      [this.vectorLength] = byCondition.shape;
      return name;
    });
    return this.append({ op: 'instanceNorm', channels, scale, shift, epsilon: norm.epsilon }, map, {
      readers: 1,
    });
  }
}

/** A number for each channel. */
export function perChannel(numbers: readonly number[], channels: number): readonly number[] {
  return numbers.length === channels ? numbers : Array<number>(channels).fill(numbers[0]);
}

/** A map as its own value. */
export const asValue = (map: StepMap, axis: 1 | 3): MapValue => ({ map, expression: theMap, axis });

/** [channels, size of the condition] as [size of the condition, channels]. */
function slopesByCondition(slopes: Float64Array, channels: number): NamedTensor {
  const size = slopes.length / channels;
  const values = new Float32Array(slopes.length);
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < size; i++) values[i * channels + channel] = slopes[channel * size + i];
  return { shape: [size, channels], values };
}
