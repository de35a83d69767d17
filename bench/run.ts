import * as tf from '@tensorflow/tfjs-core';
import { createObjective } from '../src/objective';
import { lbfgs, minimize, type Problem, pyramidPreconditioner } from '../src/optim';
import type { BenchEngine } from './engines';
import { startPyTorch } from './pytorch';
import { benchWeights, scene, sceneLoss } from './scene';

/** A run of the optimiser on the scene. */
export interface RunTimes {
  readonly engine: string;
  readonly size: number;
  readonly evaluations: number;
  /** Best loss by number of evaluations, for the requested numbers that were reached. */
  readonly lossAfter: Readonly<Record<number, number>>;
  /**
   * Seconds until the loss where PyTorch's tutorial loop ends after 300 evaluations; undefined where it was not
   * reached.
   */
  readonly secondsToTarget?: number | undefined;
  readonly evaluationsToTarget?: number | undefined;
  /** Seconds for each evaluation: of loss and gradient where they are told apart, else of all. */
  readonly evaluating: number;
  /** Seconds of L-BFGS, its preconditioner and its read-back for each evaluation. */
  readonly optimizing?: number | undefined;
}

/** The loss of PyTorch's tutorial loop on the anchor's pictures at 256 pixels after its 300 evaluations. */
const target = 47.3;

/** Minimises the scene's loss from the content image, as `styleTransfer` does, and watches the clock. */
export async function timeRun(
  engine: BenchEngine,
  size: number,
  counts: readonly number[],
): Promise<RunTimes> {
  const extractor = await engine.create(await benchWeights(), 'conv3_1');
  const { content, style } = await scene(size);
  const loss = sceneLoss(extractor, { size, content, style });
  const objective = createObjective(extractor, loss, [size, size]);
  const lossAfter: Record<number, number> = {};
  let evaluating = 0;
  let reached: { seconds: number; evaluations: number } | undefined;
  const start = performance.now();
  /** Watches the time of evaluations, over tensors or in the engine's own memory. */
  const timed =
    <X, Y>(evaluate: (x: X) => Y) =>
    (x: X): Y => {
      const before = performance.now();
      const result = evaluate(x);
      evaluating += performance.now() - before;
      return result;
    };
  const problem = async (): Promise<Problem<unknown, unknown>> => {
    const own = await objective.problem?.();
    if (!own) throw new Error(`${engine.name} has no vector space of its own`);
    return { ...own, evaluate: timed(own.evaluate) };
  };
  const watched = { evaluate: timed(objective.evaluate), ...(objective.problem && { problem }) };
  const found = await minimize(watched, content, {
    method: lbfgs({ preconditioner: pyramidPreconditioner() }),
    bounds: [0, 1],
    maxEvaluations: Math.max(...counts),
    tolerance: { gradient: 0, decrease: 0 },
    onStep: ({ evaluations, value }) => {
      for (const count of counts) if (evaluations <= count) lossAfter[count] = value;
      if (value <= target) reached ??= { seconds: (performance.now() - start) / 1000, evaluations };
    },
  });
  const total = performance.now() - start;
  found.x.dispose();
  loss.dispose?.();
  objective.dispose();
  extractor.dispose();
  tf.dispose([content, style]);
  return {
    engine: engine.name,
    size,
    evaluations: found.evaluations,
    lossAfter,
    secondsToTarget: reached?.seconds,
    evaluationsToTarget: reached?.evaluations,
    evaluating: evaluating / found.evaluations / 1000,
    optimizing: (total - evaluating) / found.evaluations / 1000,
  };
}

/** PyTorch's tutorial loop as a whole: its 300 evaluations at 256 pixels. */
export async function timeTutorial(python: string): Promise<RunTimes> {
  const evaluations = 300;
  const at = await scene(256);
  const pytorch = await startPyTorch(python, at, await benchWeights(), 'conv3_1');
  try {
    const found = await pytorch.tutorial(evaluations);
    return {
      engine: `PyTorch ${pytorch.version}, loop of its tutorial`,
      size: at.size,
      evaluations: found.evaluations,
      lossAfter: { [found.evaluations]: found.loss },
      secondsToTarget: found.seconds,
      evaluationsToTarget: found.evaluations,
      evaluating: found.seconds / found.evaluations,
    };
  } finally {
    await pytorch.dispose();
    tf.dispose([at.content, at.style]);
  }
}
