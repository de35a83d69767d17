import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../src/features/extractor';
import { createObjective } from '../src/objective';
import type { BenchEngine } from './engines';
import { startPyTorch } from './pytorch';
import { benchWeights, type Depth, type Scene, scene, sceneLayers, sceneLoss } from './scene';
import { stockEvaluation } from './stock';
import { type Contender, elapsed, type Timing, timeInTurn } from './timing';

/** Seconds of one evaluation of loss and gradient, and of its parts. */
export interface EvaluationTimes {
  readonly engine: string;
  readonly size: number;
  readonly depth: Depth;
  readonly evaluation: Timing;
  /** The network, without losses; undefined where an engine does not do it apart. */
  readonly forward?: number | undefined;
  /** Losses and the way back. */
  readonly backward?: number | undefined;
}

/** The comparison at one size. */
export interface EvaluationOptions {
  readonly size: number;
  readonly depth: Depth;
  readonly rounds: number;
  readonly engines: readonly BenchEngine[];
  /** Whether to include stock tfjs operations. */
  readonly stock: boolean;
  /** A Python that has PyTorch; without, PyTorch does not take part. */
  readonly python?: string | undefined;
}

/** Times all contenders at one size, in turn. */
export async function timeEvaluations(options: EvaluationOptions): Promise<EvaluationTimes[]> {
  const { size, depth, rounds } = options;
  const [at, weights] = [await scene(size), await benchWeights(depth)];
  const ends: (() => unknown)[] = [() => tf.dispose([at.content, at.style])];
  const contenders: (Contender & { forward?(): Promise<number> })[] = [];
  try {
    for (const engine of options.engines) {
      await tf.setBackend(engine.backend);
      const extractor = await engine.create(weights, depth);
      const loss = sceneLoss(extractor, at, depth);
      const objective = createObjective(extractor, loss, [size, size]);
      contenders.push({
        name: engine.name,
        run: () =>
          elapsedOn(engine.backend, async () => {
            const { value, gradient, terms } = objective.evaluate(at.content);
            await gradient.data();
            tf.dispose([value, gradient, terms]);
          }),
        forward: () => elapsedOn(engine.backend, () => runForward(extractor, at, depth)),
      });
      ends.push(() => {
        loss.dispose?.();
        objective.dispose();
        extractor.dispose();
      });
    }
    await tf.setBackend('wasm');
    if (options.stock) {
      const evaluate = stockEvaluation(weights, at);
      // It takes most of a minute at 512 pixels.
      contenders.push({
        name: 'tfjs-wasm, stock valueAndGrad',
        run: () => elapsedOn('wasm', evaluate),
        most: 3,
      });
    }
    if (options.python) {
      const pytorch = await startPyTorch(options.python, at, weights, depth);
      ends.push(() => pytorch.dispose());
      for (const layout of ['contiguous', 'channels_last'] as const)
        contenders.push({
          name: `PyTorch ${pytorch.version}, ${layout}`,
          run: async () => (await pytorch.evaluate(layout)).seconds,
        });
    }
    const times = await timeInTurn(contenders, rounds);
    const apart = contenders.flatMap(({ name, forward }) => (forward ? [{ name, run: forward }] : []));
    const forwards = await timeInTurn(apart, Math.min(rounds, 3));
    return contenders.map(({ name }, i) => {
      const evaluation = times[i];
      const forward = forwards[apart.findIndex((engine) => engine.name === name)]?.median;
      const backward = forward === undefined ? undefined : evaluation.median - forward;
      return { engine: name, size, depth, evaluation, forward, backward };
    });
  } finally {
    for (const end of ends) await end();
    await tf.setBackend('wasm');
  }
}

/** Seconds that something takes on a backend of tfjs. */
async function elapsedOn(backend: BenchEngine['backend'], work: () => unknown): Promise<number> {
  await tf.setBackend(backend);
  return elapsed(work);
}

/** The network as an extractor gives it: up to the last layer, which alone is asked for. */
async function runForward(extractor: FeatureExtractor, { content }: Scene, depth: Depth): Promise<void> {
  const last = sceneLayers(depth).style.slice(-1);
  const features = extractor.extract(content, last);
  await features[last[0]]?.data();
  tf.dispose(features as tf.TensorContainer);
}
