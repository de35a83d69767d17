import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../src/features/extractor';
import { createObjective } from '../src/objective';
import type { BenchEngine } from './engines';
import { benchWeights, type Scene, scene, sceneLoss, styleLayers } from './scene';
import { stockEvaluation } from './stock';
import { type Timing, time } from './timing';

/** Seconds of one evaluation of loss and gradient, and of its parts. */
export interface EvaluationTimes {
  readonly engine: string;
  readonly size: number;
  readonly evaluation: Timing;
  /** The network up to conv3_1; undefined where an engine does not do it apart. */
  readonly forward?: number | undefined;
  /** Losses and the way back. */
  readonly backward?: number | undefined;
}

/** Times one engine at one size. */
export async function timeEngine(engine: BenchEngine, size: number, runs: number): Promise<EvaluationTimes> {
  const extractor = await engine.create(await benchWeights());
  const at = await scene(size);
  try {
    const loss = sceneLoss(extractor, at);
    const objective = createObjective(extractor, loss, [size, size]);
    const evaluation = await time(async () => {
      const { value, gradient, terms } = objective.evaluate(at.content);
      await gradient.data();
      tf.dispose([value, gradient, terms]);
    }, runs);
    const forward = await time(() => runForward(extractor, at), runs);
    loss.dispose?.();
    objective.dispose();
    return {
      engine: engine.name,
      size,
      evaluation,
      forward: forward.median,
      backward: evaluation.median - forward.median,
    };
  } finally {
    extractor.dispose();
    tf.dispose([at.content, at.style]);
  }
}

/** Times plain `tf.valueAndGrad` over stock operations at one size. */
export async function timeStock(size: number, runs: number): Promise<EvaluationTimes> {
  const at = await scene(size);
  const evaluation = await time(stockEvaluation(await benchWeights(), at), runs);
  return { engine: 'tfjs-wasm, stock valueAndGrad', size, evaluation };
}

async function runForward(extractor: FeatureExtractor, { content }: Scene): Promise<void> {
  const features = extractor.extract(content, styleLayers);
  await features.conv3_1?.data();
  tf.dispose(features as tf.TensorContainer);
}
