import { WeightsError } from '../errors';
import { showText } from '../options/show';
import { tensorsOf } from './generator-parameters';
import { stepInputs } from './step-inputs';
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
export function resolvePredictor(predictor: StylePredictor): readonly ResolvedPredictorStep[] {
  const resolved: (ResolvedPredictorStep & { readonly pooled: boolean })[] = [];
  const at = (index: number) => resolved[index] ?? { channels: 3, pooled: false };
  for (const { step, inputs, refuse } of stepInputs('predictor', predictor)) {
    const { channels, pooled } = at(inputs[0]);
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
  }
  if (resolved.at(-1)?.pooled) return resolved;
  const accepted = 'a mean over all positions before its last step';
  throw new WeightsError(
    'UNSUPPORTED_NETWORK',
    `The predictor ${showText(predictor.name)} gives a map, not a vector; accepted: ${accepted}.`,
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
