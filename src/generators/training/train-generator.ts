import { ifSoftware } from '../../engines/engine-options';
import { loadProgram } from '../../engines/load-program';
import { InvalidArgumentError } from '../../errors';
import { createGenerator, type Generator } from '../../features/generator';
import { resolveSteps, sizeMultiple, smallestSize } from '../../features/generator-steps';
import type { ImageInput } from '../../image/to-image';
import { showText } from '../../options/show';
import { type Owner, owning } from '../../owning';
import { anyPlatform, type Platform, requireBackend } from '../../platform';
import type { WeightsWarning } from '../../storage/progress';
import { ProgressChannel } from '../../transfer/progress-channel';
import { factsOf } from '../../transfer/run-facts';
import { noMoments } from './adam-update';
import {
  type CheckpointStore,
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainingIdentity,
  type TrainingState,
} from './checkpoint';
import { givenPictures } from './given-pictures';
import { heldOut } from './held-out';
import { identityOf } from './identity';
import { withMeasuredFloor } from './measured-floor';
import { readTraining, type TrainGeneratorOptions, type TrainingSettings } from './options';
import type { Pictures } from './pictures';
import { proceduralPictures, usualDrawn } from './procedural-pictures';
import type { TrainingProgress } from './progress';
import { trainingStages, usualFinalSteps } from './stages';
import { startOf } from './start';
import { isStyleList, type StylePicture, stylePictures } from './style-pictures';
import { takeSteps } from './take-steps';
import type { TrainingLoop } from './training-loop';
import {
  customTrainingLoss,
  presetTrainingLoss,
  type TrainingLoss,
  type TrainingLossInputs,
} from './training-loss';
import { networkOf } from './training-network';
import type { TrainingStart } from './training-start';

/** `trainGenerator` on a platform whose images are `Input`. */
export type TrainGenerator<Input> = (options: TrainGeneratorOptions<Input>) => Promise<Generator>;

/**
 * Trains a generator for one style, or for several: a network that paints any picture in it, at once (Johnson et al.
 * 2016; Ulyanov et al. 2016; Dumoulin et al. 2017). Each step paints a crop of a picture and moves the network's
 * parameters against the gradient of its loss, by Adam with a warm-up, a cosine and gradients that are not longer than
 * five times the usual.
 *
 * @param options see {@link TrainGeneratorOptions}; `style` is required
 * @returns the generator, which belongs to the caller; equal options, seed and engine give equal parameters, to the bit
 *   on wasm and cpu, whether or not the training was interrupted
 * @throws InvalidArgumentError before any work if an option is wrong, options conflict, or the checkpoint is of another
 *   training (`WRONG_CHECKPOINT`); ImageError `TOO_SMALL` or `TOO_FLAT` if the style has no style to learn;
 *   WeightsError `MISSING_LAYER` if VGG-19 is not there to the depth that the loss needs; otherwise as `styleTransfer`
 * @throws the signal's reason once it is aborted, and any error of `onProgress` or a custom loss
 * @example
 * ```ts
 * const generator = await trainGenerator({ style: painting, weights: 'vgg19', steps: 400 });
 * ```
 */
export const trainGenerator: TrainGenerator<ImageInput> = /* @__PURE__ */ trainGeneratorOn(anyPlatform);

/** Makes `trainGenerator` for a platform. */
export function trainGeneratorOn<Input>(platform: Platform<Input>): TrainGenerator<Input> {
  return async (options) => {
    const settings = readTraining(options);
    settings.signal?.throwIfAborted();
    const progress = new ProgressChannel<TrainingProgress>(settings.onProgress, settings.signal);
    try {
      const onWarning = (warning: WeightsWarning) => progress.post({ type: 'warning', ...warning });
      await requireBackend(
        platform,
        onWarning,
        ifSoftware(settings.engine, settings.extractor !== undefined),
      );
      return await owning((owner) => train(platform, settings, progress, owner));
    } catch (error) {
      await progress.close();
      throw progress.reasonFor(error);
    } finally {
      await progress.close();
    }
  };
}

const [stepsFromBase, stepsFromScratch] = [400, 1900];

async function train<Input>(
  platform: Platform<Input>,
  settings: TrainingSettings<Input>,
  progress: ProgressChannel<TrainingProgress>,
  owner: Owner,
): Promise<Generator> {
  const { temporary } = owner;
  const { size, seed, checkpoint } = settings;
  const { signal } = progress;
  const start = await startOf(settings, isStyleList(settings.style) ? settings.style.length : undefined);
  const { parameters } = start;
  const { steps = parameters.styles * (start.base ? stepsFromBase : stepsFromScratch) } = settings;
  const { finalSteps = usualFinalSteps(steps, parameters.styles) } = settings;
  requireNoise(settings.diversity, start);
  requireCrops(size, start);
  requireFinalSteps(finalSteps, steps);
  const styles = await stylePictures(platform, settings, signal, owner);
  const held = temporary(
    await heldOut(platform, settings.preview ?? [], { size, network: start.network, signal }),
  );
  const { learningRate = start.base ? 3e-3 : 2e-3 } = settings;
  const stages = trainingStages(steps, size, finalSteps);
  const pictures = settings.images
    ? await givenPictures(platform, settings.images, {
        signal,
        onUnreadable: ({ message }) =>
          progress.post({ type: 'warning', code: 'IMAGE_LEFT_OUT', message: `${message} It is left out.` }),
      })
    : proceduralPictures(seed, settings.drawn ?? usualDrawn(steps));
  const { extractor, preset } = await networkOf(platform, settings, progress, owner);
  const facts = { styles, preset, start, steps, finalSteps, learningRate, pictures, extractor };
  const identity = await identityOf(settings, facts);
  const state = await stateOf(checkpoint, identity, parameters.initial);
  const losses = temporary(
    await lossesOf({ ...settings, preset }, { extractor, styles, pictures, size: stages[0].size, signal }),
  );
  const { network, base } = start;
  const program = temporary(
    await loadProgram({ network, weights: start.weights }, settings, {
      signal,
      onWarning: (warning) => progress.post({ type: 'warning', ...warning }),
    }),
  );
  await progress.send({
    type: 'start',
    steps,
    resumedAt: state.step,
    stages,
    architecture: network.name,
    parameters: state.parameters.length,
    base,
    ...factsOf(extractor),
  });
  const { diversity } = settings;
  const loop: TrainingLoop = {
    program,
    losses,
    parameters,
    pictures,
    stages,
    learningRate,
    seed,
    diversity,
    signal,
  };
  const keep = checkpoint && (() => checkpoint.write(encodeCheckpoint(identity, state)));
  await takeSteps(loop, state, { steps, held, interval: settings.previewInterval, keep, progress });
  return trained(settings, start, state.parameters, identity);
}

/** @throws InvalidArgumentError `WRONG_NETWORK` if pictures of a network without noise are to differ by noise */
function requireNoise(diversity: number, { network }: TrainingStart): void {
  if (diversity === 0 || network.steps.some(({ op }) => op === 'noise')) return;
  const accepted = '0, or a network with noise, such as textureNet()';
  throw new InvalidArgumentError(
    'WRONG_NETWORK',
    `diversity is ${diversity}, and the network ${showText(network.name)} has no noise; accepted: ${accepted}.`,
    { option: 'diversity', value: diversity, accepted },
  );
}

/** @throws InvalidArgumentError `OUT_OF_RANGE` if the network cannot paint crops of this size, or of half of it */
function requireCrops(size: number, { network }: TrainingStart): void {
  const steps = resolveSteps(network);
  const [multiple, least] = [2 * sizeMultiple(steps), 2 * smallestSize(steps)];
  if (size % multiple === 0 && size >= least) return;
  const accepted = `a multiple of ${multiple} from ${least} to 1024, which ${showText(network.name)} needs`;
  throw new InvalidArgumentError('OUT_OF_RANGE', `size is ${size}; accepted: ${accepted}.`, {
    option: 'size',
    value: size,
    accepted,
  });
}

/** @throws InvalidArgumentError `OUT_OF_RANGE` if there are more last steps than steps */
function requireFinalSteps(finalSteps: number, steps: number): void {
  if (finalSteps <= steps) return;
  const accepted = `0 to ${steps}, the number of steps`;
  throw new InvalidArgumentError('OUT_OF_RANGE', `finalSteps is ${finalSteps}; accepted: ${accepted}.`, {
    option: 'finalSteps',
    value: finalSteps,
    accepted,
  });
}

/** The generator of a training, with what repeats it. */
function trained(
  { name }: TrainingSettings,
  { network, base, trained: ofValues }: TrainingStart,
  parameters: Float32Array,
  identity: TrainingIdentity,
): Generator {
  return createGenerator({
    name: name ?? network.name,
    network,
    ...ofValues(parameters),
    training: { ...identity, base: base ?? 'none' },
  });
}

/** The state that a checkpoint has, or that of a training at its beginning. */
async function stateOf(
  checkpoint: CheckpointStore | undefined,
  identity: TrainingIdentity,
  parameters: Float32Array<ArrayBuffer>,
): Promise<TrainingState> {
  const bytes = await checkpoint?.read();
  if (checkpoint && bytes) return decodeCheckpoint(checkpoint.name, bytes, identity);
  const moments = noMoments(parameters.length);
  return { step: 0, parameters: parameters.slice(), moments, averageNorm: undefined, meanLoss: undefined };
}

/** The loss of each style. */
async function lossesOf(
  { preset, alpha, beta, loss }: TrainingSettings,
  {
    pictures,
    size,
    styles,
    extractor,
    signal,
  }: Omit<TrainingLossInputs, 'style'> & {
    readonly styles: readonly StylePicture[];
    readonly pictures: Pictures;
    readonly size: number;
  },
): Promise<readonly TrainingLoss[]> {
  return owning(async ({ result }) => {
    if (loss)
      return styles.map(({ image }, i) => customTrainingLoss(loss, i, { extractor, style: image, signal }));
    const floored = await withMeasuredFloor(preset, { extractor, pictures, size });
    const losses: TrainingLoss[] = [];
    for (const { image } of styles)
      losses.push(
        result(await presetTrainingLoss(floored, { alpha, beta }, { extractor, style: image, signal })),
      );
    return losses;
  });
}
