import * as tf from '@tensorflow/tfjs-core';
import { isDeviceLost, requireDevice, whileDeviceLasts } from '../backends/lost-device';
import { type EngineExtractor, verifiedBy } from '../engines/engine';
import { ComputationError } from '../errors';
import type { Image } from '../image/image';
import { sizeAfter } from '../image/size-rule';
import { sum } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { createObjective } from '../objective';
import { minimize, type StopReason } from '../optim';
import { showValue } from '../options/show';
import { type Owner, owning } from '../owning';
import { atSize } from './at-size';
import type { BalancedLoss, BalanceInputs } from './balance';
import type { KeptImage } from './kept-image';
import type { LaterFrame } from './later-frame';
import { makeLoss } from './make-loss';
import type { Chroma } from './moved-colors';
import type { OpenedRegion } from './open-regions';
import type { Settings } from './options';
import type { StageMemory } from './plan';
import type { StageFacts } from './progress';
import type { ProgressChannel } from './progress-channel';
import type { RunFacts } from './run-facts';
import { pixels } from './scales';
import type { Schedule, Stage } from './schedule';
import type { WeightedStyle } from './styles';
import { workOf } from './work';

/** The state of a run after an iteration. */
export interface HistoryEntry {
  readonly stage: StageFacts;
  /** Of the stage; 0 is its start itself. */
  readonly iteration: number;
  /** Of the stage. */
  readonly evaluations: number;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  /** Time of minimisation, of all stages so far. */
  readonly elapsedMs: number;
}

/** Inputs common to all stages of a run. A stage disposes none of them. */
export interface StageInputs {
  readonly settings: Settings;
  readonly extractor: EngineExtractor;
  readonly facts: RunFacts;
  /** Content image of any size; a stage resizes it. */
  readonly content: Image;
  /** Style images at the size of the last stage, which others resize, and style files. */
  readonly styles: readonly WeightedStyle[];
  /** Regions with styles among these. */
  readonly regions?: readonly OpenedRegion[] | undefined;
  /** The plan of each stage. */
  readonly memory: readonly StageMemory[];
  /** Of runs in grey: what gives images that are handed out their chroma. */
  readonly chroma?: Chroma | undefined;
  /** Of a frame of a film after the first. */
  readonly later?: LaterFrame | undefined;
  /** What is left if the device that computes is lost. */
  readonly kept: KeptImage;
  readonly progress: ProgressChannel;
}

/** The result of a stage, or of several: then history and counts are those of all. */
export interface Painted {
  /**
   * The image of the lowest loss, or with `average` the average of the steps, [height, width, 3]; it belongs to the
   * caller of the stage.
   */
  readonly image: Image;
  /** The loss of `image`. */
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  /** The start of each stage and every iteration, in order. */
  readonly history: readonly HistoryEntry[];
  readonly iterations: number;
  readonly evaluations: number;
  readonly stopReason: StopReason;
}

/** A stage within its run. */
export interface StagePlace {
  readonly stages: Schedule;
  readonly index: number;
  /** First image of the minimisation, at any size. */
  readonly start: Image;
  /** First image of the run, at any size. */
  readonly origin: Image;
  /** What the stages before have painted; undefined in the first. */
  readonly before?: Painted | undefined;
}

/**
 * One stage of a run: minimises the loss at one size.
 *
 * @param place the stage in its run; its images remain the caller's
 * @returns image, history and counts of this stage
 * @throws any error of the loss, the extractor or the listener; the signal's reason
 */
export async function paintStage(inputs: StageInputs, place: StagePlace): Promise<Painted> {
  return owning(async (owner) => {
    const { settings, extractor, chroma, progress } = inputs;
    const stage = place.stages[place.index];
    const { plan, room, method } = inputs.memory[place.index];
    const { width, height, iterations, maxEvaluations } = stage;
    let best: Best | undefined;
    let told = false;
    const paint = async (): Promise<Painted> => {
      const content = owner.temporary(await atSize('content', inputs.content, stage));
      await chroma?.prepare(stage);
      const styles = await stylesAt(inputs.styles, stage, owner);
      const regions =
        inputs.regions &&
        (await (await import('./open-regions')).regionsAt(inputs.regions, stage, styles, owner));
      const made = await verifiedBy(extractor, () =>
        makeLoss(settings, { extractor, content, styles, regions, plan, room }, owner),
      );
      const grey = chroma !== undefined;
      const onPreparing = (done: number, total: number) => progress.post({ type: 'prepare', done, total });
      const objectiveOf = (loss: Loss) =>
        createObjective(extractor, loss, [height, width], { room, grey, onPreparing });
      const first = owner.temporary(await atSize('init', place.start, stage));
      best = { loss: Infinity, evaluations: 0, image: () => tf.clone(first) };
      const { loss: own, divisors } = await balanced(inputs, place, { loss: made, content, objectiveOf });
      const loss = await withTemporal(own, inputs, owner);
      const facts = { ...factsAt(place), divisors };
      const objective = owner.temporary(objectiveOf(loss));
      const preset = settings.loss ? undefined : settings.preset.name;
      const { layers } = loss;
      await progress.send({
        type: 'start',
        stage: facts,
        width,
        height,
        preset,
        ...inputs.facts,
        layers,
        plan,
      });
      const history: HistoryEntry[] = [];
      const found = await minimize(objective, first, {
        method,
        bounds: [0, 1],
        maxIterations: iterations,
        maxEvaluations,
        tolerance: settings.tolerance,
        stopWhen: settings.stopWhen,
        average: settings.average,
        signal: progress.signal,
        onStep: recorder(inputs, place, facts, history),
        onInterrupted: async ({ x, value: loss, evaluations }, error) => {
          // With the device x is lost too.
          if (told || (await isDeviceLost())) return;
          told = true;
          const image = () => tf.clone(x);
          return tellInterrupted(error, inputs, place.before, { loss, evaluations, image });
        },
      });
      requireDevice();
      const { value, terms, evaluations, stopReason } = found;
      return {
        image: owner.result(found.x),
        loss: value,
        terms,
        history,
        iterations: found.iterations,
        evaluations,
        stopReason,
      };
    };
    try {
      return await whileDeviceLasts(paint, (error) => progress.abort(error));
    } catch (error) {
      if (!told) {
        told = true;
        if (isLoss(error)) await tellLost(error, inputs);
        else await tellInterrupted(error, inputs, place.before, best);
      }
      throw error;
    }
  });
}

/** The loss of a stage, and of a frame of a film the temporal loss, which `owner` frees. */
async function withTemporal(loss: Loss, { later, chroma }: StageInputs, { temporary }: Owner): Promise<Loss> {
  if (!later?.temporal) return loss;
  const { temporalLossOf } = await import('./temporal-target');
  // Not freed as a whole: the parts have owners of their own.
  return sum([loss, temporary(temporalLossOf(later.temporal, chroma))]);
}

/** The loss of a stage, and by what its terms are divided, if the option `balance` asks for that. */
async function balanced(
  { settings, progress }: StageInputs,
  { stages, index, origin }: StagePlace,
  { loss, ...inputs }: { loss: Loss } & Pick<BalanceInputs, 'content' | 'objectiveOf'>,
): Promise<{ readonly loss: Loss; readonly divisors?: BalancedLoss['divisors'] }> {
  if (settings.balance === 'none') return { loss };
  const { balanceLoss } = await import('./balance');
  return owning(async ({ temporary }) => {
    const start = temporary(await atSize('init', origin, stages[index]));
    const found = await balanceLoss(loss, { ...inputs, start, signal: progress.signal });
    for (const name of found.unbalanced)
      progress.post({ type: 'warning', code: 'NOT_BALANCED', message: notBalanced(name) });
    return found;
  });
}

const notBalanced = (name: string) =>
  `The term ${showValue(name)} is 0 at the start and at an image of one colour, so balance leaves its weight as it is.`;

const isLoss = (error: unknown) => error instanceof ComputationError && error.code === 'DEVICE_LOST';

/** Sends the last event of a run whose device is lost, with the image that was kept. */
async function tellLost(reason: unknown, { kept: { kept }, progress }: StageInputs): Promise<void> {
  if (kept) await progress.finish({ type: 'interrupted', reason, ...kept });
}

/** Style images in their size relative to the painted one. */
async function stylesAt(
  styles: readonly WeightedStyle[],
  { scale }: Stage,
  { temporary }: Owner,
): Promise<readonly WeightedStyle[]> {
  const resized: WeightedStyle[] = [];
  for (const style of styles) {
    const { image, weight } = style;
    if (!image) {
      // A file's targets have the one scale that they were made at.
      resized.push(style);
      continue;
    }
    const [height, width] = image.shape;
    const longerSide = Math.max(pixels.min, Math.round(scale * Math.max(width, height)));
    const size = scale === 1 ? { width, height } : sizeAfter({ longerSide }, width, height);
    resized.push({ weight, image: temporary(await atSize('style', image, size)) });
  }
  return resized;
}

const factsAt = ({ stages, index }: StagePlace): StageFacts => {
  const { width, height } = stages[index];
  return { index, count: stages.length, width, height };
};

/** The part of a `MinimizeStep` that is used here. */
interface Step {
  readonly iteration: number;
  readonly evaluations: number;
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly x: Image;
}

/** Makes the `onStep` of a stage: adds each step to the history and calls the listener. */
function recorder(
  { chroma, kept, progress }: StageInputs,
  place: StagePlace,
  stage: StageFacts,
  history: HistoryEntry[],
): (step: Step) => Promise<void> {
  const { stages, index, before } = place;
  const { iterations } = stages[index];
  const msBefore = before?.history.at(-1)?.elapsedMs ?? 0;
  // A listener may hold the run, as a pause does; that is no time of minimisation.
  const now = () => performance.now() - progress.settledMs;
  const startTime = now();
  return async (step) => {
    // Values that a lost device gives are no values.
    requireDevice();
    const { iteration, evaluations, value: loss, terms } = step;
    const image = () => shown(step.x, chroma);
    await kept.keep(index, { loss, evaluations: (before?.evaluations ?? 0) + evaluations, image });
    const ms = now() - startTime;
    const elapsedMs = msBefore + ms;
    history.push({ stage, iteration, evaluations, loss, terms, elapsedMs });
    const secondsPerEvaluation = ms / 1000 / evaluations;
    await progress.send({
      type: 'step',
      stage,
      iteration,
      iterations,
      evaluations,
      loss,
      terms,
      elapsedMs,
      secondsPerEvaluation,
      ...workOf(stages, index, { iteration, evaluations, secondsPerEvaluation }),
      image,
    });
  };
}

/** The best image of a stage so far, made on demand, with its loss, which is infinite before the first evaluation. */
interface Best {
  readonly loss: number;
  readonly evaluations: number;
  image(): Image;
}

/**
 * Sends the last event of a run that ends early, unless it has not begun: with the best image of the stage once it has
 * evaluated one, else with what the stages before have painted.
 */
async function tellInterrupted(
  error: unknown,
  { chroma, progress }: StageInputs,
  before: Painted | undefined,
  best: Best | undefined,
): Promise<void> {
  const inStage = before === undefined || best?.loss !== Infinity ? best : undefined;
  const loss = inStage?.loss ?? before?.loss;
  if (loss === undefined) return;
  await progress.finish({
    type: 'interrupted',
    reason: progress.reasonFor(error),
    loss,
    evaluations: (before?.evaluations ?? 0) + (best?.evaluations ?? 0),
    image: () => tf.tidy(() => shown(inStage?.image() ?? (before as Painted).image, chroma)),
  });
}

/** A painted image as it is handed out; always a new tensor. */
export const shown = (painted: Image, chroma: Chroma | undefined): Image =>
  chroma ? chroma.restore(painted) : tf.clone(painted);
