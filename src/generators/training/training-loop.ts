import * as tf from '@tensorflow/tfjs-core';
import type { GeneratorProgram } from '../../engines/engine';
import { ComputationError } from '../../errors';
import type { Image } from '../../image/image';
import { owning } from '../../owning';
import { adamUpdate } from './adam-update';
import type { TrainingState } from './checkpoint';
import { cropAt } from './crops';
import { alikeness } from './diversity';
import { GradientClip } from './gradient-clip';
import { learningRateAt } from './learning-rate';
import type { Pictures } from './pictures';
import { cropSizeAt, type TrainingStage } from './stages';
import type { TrainedParameters } from './trained-parameters';
import type { CropLoss, TrainingLoss } from './training-loss';

/** Decay of the mean loss of reports. */
const decay = 0.98;

/** What the steps of a training compute with. */
export interface TrainingLoop {
  readonly program: GeneratorProgram;
  /** Of each style. */
  readonly losses: readonly TrainingLoss[];
  readonly parameters: TrainedParameters;
  readonly pictures: Pictures;
  readonly stages: readonly TrainingStage[];
  readonly learningRate: number;
  readonly seed: number;
  /** Weight of {@link alikeness}; 0 is none. */
  readonly diversity: number;
  readonly signal: AbortSignal;
}

/**
 * One step: paints a crop, and moves the parameters against the gradient of its loss. The state is changed at the end
 * only, so that a step that fails or is aborted has left it as it was.
 *
 * @returns the loss of the crop before the step
 * @throws ComputationError `NOT_FINITE`; the signal's reason
 */
export async function trainStep(
  loop: TrainingLoop,
  state: TrainingState,
): Promise<Omit<CropLoss, 'gradient'>> {
  const { program, losses, parameters, stages, seed, signal } = loop;
  const { step, moments } = state;
  const style = parameters.styleAt(step);
  const loss = losses[style];
  program.setParameters(parameters.ofNetwork(state.parameters, style));
  const steps = stages.reduce((sum, stage) => sum + stage.steps, 0);
  return owning(async ({ temporary }) => {
    const crop = temporary(await cropTensor(loop.pictures, { seed, step, size: cropSizeAt(stages, step) }));
    const { diversity } = loop;
    // Of seeds that no step's own picture has.
    const other = diversity > 0 ? temporary(await program.run(crop, { seed: -1 - step, signal })) : undefined;
    let found: CropLoss | undefined;
    const lossGradient = async (painted: Image) => {
      found = await loss.at(painted, crop);
      if (other) found = await withDiversity(found, { painted, other, weight: diversity });
      return found.gradient;
    };
    const gradient = await program.gradients(crop, lossGradient, { seed: step, signal });
    signal.throwIfAborted();
    const { value, terms } = found as unknown as CropLoss;
    const parts = parameters.moved(gradient, step);
    const squares = (sum: number, slope: number) => sum + slope * slope;
    const norm = Math.sqrt(parts.reduce((sum, part) => part.gradient.reduce(squares, sum), 0));
    if (!Number.isFinite(value + norm)) throw notFinite(step, value);
    const clip = new GradientClip(state.averageNorm);
    const factor = clip.factor(norm, step);
    const rate = learningRateAt(loop.learningRate, step, steps);
    for (const { at, gradient: slopes, visits, pace } of parts) {
      const part = (values: Float32Array<ArrayBuffer>) => values.subarray(at, at + slopes.length);
      const settings = { rate: pace * rate, step: visits, factor };
      const moved = { mean: part(moments.mean), square: part(moments.square) };
      adamUpdate(part(state.parameters), moved, slopes, settings);
    }
    state.averageNorm = clip.average;
    state.meanLoss = state.meanLoss === undefined ? value : decay * state.meanLoss + (1 - decay) * value;
    state.step++;
    return { value, terms };
  });
}

/** The loss of a crop with that of its being like another picture of it, which takes the first gradient over. */
async function withDiversity(
  { value, terms, gradient }: CropLoss,
  { painted, other, weight }: { readonly painted: Image; readonly other: Image; readonly weight: number },
): Promise<CropLoss> {
  const { value: alike, gradient: slope } = await alikeness(painted, other);
  const sum = tf.tidy(() => tf.add<Image>(gradient, tf.mul(slope, weight)));
  gradient.dispose();
  slope.dispose();
  return { value: value + weight * alike, terms: { ...terms, diversity: weight * alike }, gradient: sum };
}

/** A crop as a tensor, [size, size, 3], which belongs to the caller. */
export async function cropTensor(pictures: Pictures, place: Parameters<typeof cropAt>[1]): Promise<Image> {
  const { data, width, height } = await cropAt(pictures, place);
  return tf.tensor3d(data, [height, width, 3]);
}

function notFinite(step: number, value: number): ComputationError {
  const accepted = 'a lower learningRate, or another loss';
  return new ComputationError(
    'NOT_FINITE',
    `At step ${step} the loss is ${value}, or its gradient is not finite; accepted: ${accepted}.`,
    { option: 'loss', value, accepted },
  );
}
