import { WeightsError } from '../errors';
import { showText } from '../options/show';
import { tensorsOf } from './generator-parameters';
import type { PredictorStep, StylePredictor } from './style-predictor';

/** A step of a predictor with what the steps before it say about it. */
export interface ResolvedPredictorStep {
  readonly step: PredictorStep;
  /** Indices of the steps that are read, one or, for sums, two; -1 is the image. */
  readonly inputs: readonly number[];
  /** Channels of the output. */
  readonly channels: number;
}

/**
 * The steps of a predictor with their inputs and channels; those of the last are the length of its vector.
 *
 * @throws WeightsError `UNSUPPORTED_NETWORK` if the steps do not fit together, or do not end with one position
 */
export function resolvePredictor({ name, steps }: StylePredictor): readonly ResolvedPredictorStep[] {
  const indices = new Map([['input', -1]]);
  const resolved: (ResolvedPredictorStep & { readonly pooled: boolean })[] = [];
  const at = (index: number) => resolved[index] ?? { channels: 3, pooled: false };
  for (const [i, step] of steps.entries()) {
    const refuse = (what: string, accepted: string) => unfit(name, step, what, accepted);
    const indexOf = (read: string) => {
      const index = indices.get(read);
      if (index === undefined) throw refuse(`reads '${showText(read)}'`, 'a step before it');
      return index;
    };
    if (indices.has(step.name)) throw refuse('has the name of another step', 'names of their own');
    const first = step.from === undefined ? i - 1 : indexOf(step.from);
    const inputs = step.op === 'add' ? [first, indexOf(step.with)] : [first];
    const { channels, pooled } = at(first);
    const expected =
      step.op === 'conv' ? step.channelsIn : step.op === 'depthwiseConv' ? step.channels : channels;
    const other = at(inputs[inputs.length - 1]);
    if (expected !== channels) throw refuse(`reads ${channels} channels`, `${expected} channels`);
    if (step.op === 'add' && (other.channels !== channels || other.pooled !== pooled))
      throw refuse(`adds ${other.channels} channels to ${channels}`, 'two maps of one shape');
    resolved.push({
      step,
      inputs,
      channels: step.op === 'conv' ? step.channelsOut : channels,
      pooled: pooled || step.op === 'globalAveragePool',
    });
    indices.set(step.name, i);
  }
  if (resolved.at(-1)?.pooled) return resolved;
  const accepted = 'a mean over all positions before its last step';
  throw new WeightsError(
    'UNSUPPORTED_NETWORK',
    `The predictor ${showText(name)} gives a map, not a vector; accepted: ${accepted}.`,
    { option: 'predictor', accepted },
  );
}

/** Name and shape of each tensor that a step needs. */
export function predictorTensors(step: PredictorStep): ReturnType<typeof tensorsOf> {
  if (step.op === 'relu6' || step.op === 'globalAveragePool') return [];
  if (step.op !== 'depthwiseConv') return tensorsOf(step);
  const { kernel, bias, size, channels } = step;
  const kernels = { name: kernel, shape: [size, size, channels, 1] };
  return bias === undefined ? [kernels] : [kernels, { name: bias, shape: [channels] }];
}

function unfit(predictor: string, step: PredictorStep, what: string, accepted: string): WeightsError {
  return new WeightsError(
    'UNSUPPORTED_NETWORK',
    `Step ${showText(step.name)} of the predictor ${showText(predictor)} ${what}; accepted: ${accepted}.`,
    { option: step.name, value: what, accepted },
  );
}
