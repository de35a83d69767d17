import * as tf from '@tensorflow/tfjs-core';
import { KernelRunner } from '../src/engines/wasm/runtime/kernel-runner';
import { wasmSpace } from '../src/engines/wasm/vectors/wasm-space';
import { createWasmExtractor } from '../src/engines/wasm/wasm-extractor';
import { createObjective } from '../src/objective';
import { historyBytes, lbfgs, minimize, pyramidPreconditioner } from '../src/optim';
import { Run } from '../src/optim/run';
import { networkOptions } from './engines';
import { benchWeights, scene, sceneLoss } from './scene';
import { type Contender, type Timing, timeInTurn } from './timing';

/** L-BFGS on the wasm engine with one kind of history. */
export interface HistoryTimes {
  readonly size: number;
  readonly history: string;
  /** Bytes of the history in MB (10^6). */
  readonly memory: number;
  /** Milliseconds that an iteration with a full history takes beside its evaluation. */
  readonly own: Timing;
  /** Evaluations of the scene's loss until it is as low as after {@link yardstick} with the first kind. */
  readonly evaluations: number | undefined;
  /** Loss after as many evaluations. */
  readonly loss: number;
}

const kinds = [
  { precision: 'float32', memory: 20 },
  { precision: 'float32', memory: 50 },
  { precision: 'int8', memory: 20 },
  { precision: 'int8', memory: 50 },
  { precision: 'int8', memory: 64 },
] as const;
type Kind = (typeof kinds)[number];

const methodOf = (kind: Kind) => lbfgs({ ...kind, preconditioner: pyramidPreconditioner() });

/** Evaluations after which losses are compared. */
const yardstick = 100;

/** Compares histories in 8 bits with those in float32: time of the optimiser's own work, and evaluations to a loss. */
export async function timeHistories(size: number, rounds: number): Promise<HistoryTimes[]> {
  const times = await timeOwnWork(size, rounds);
  const runs: (readonly number[])[] = [];
  for (const kind of kinds) runs.push(await lossesOf(kind, size));
  const target = runs[0][yardstick];
  return kinds.map((kind, i) => {
    const reached = runs[i].findIndex((loss) => loss <= target);
    return {
      size,
      history: `${kind.precision}, ${kind.memory} pairs`,
      memory: historyBytes(methodOf(kind).history?.(true) ?? { pairs: 0, bits: 32 }, 3 * size * size) / 1e6,
      own: times[i],
      evaluations: reached < 0 ? undefined : reached,
      loss: runs[i][yardstick],
    };
  });
}

/** Iterations on a quadratic function whose evaluation takes two passes over a vector. */
async function timeOwnWork(size: number, rounds: number): Promise<Timing[]> {
  const engine = await KernelRunner.create();
  const iterations = 4;
  const spaces: { close(): void }[] = [];
  const contenders: Contender[] = [];
  for (const kind of kinds) {
    const space = wasmSpace(engine, [size, size, 3]);
    spaces.push(space);
    const curvatures = space.vector(
      Float32Array.from({ length: space.size }, (_, i) => 10 ** ((i % 997) / 200)),
    );
    let evaluating = 0;
    const problem = {
      space,
      async evaluate(x: typeof curvatures) {
        const start = performance.now();
        const gradient = space.multiply(curvatures, x);
        const [[twice]] = await space.measure([{ kind: 'products', left: [x], right: [gradient] }]);
        evaluating += performance.now() - start;
        return { value: twice / 2, gradient };
      },
      toVector: space.copy,
      fromVector: space.copy,
    };
    const run = new Run<typeof curvatures, number, tf.Tensor3D>({
      problem: problem as never,
      bounds: { lower: -1, upper: 1 },
      maxEvaluations: Infinity,
      signal: undefined,
    });
    const start = space.vector(new Float32Array(space.size).fill(0.9));
    const stepper = await methodOf(kind).begin(run, start);
    for (let i = 0; i <= kind.memory; i++) await stepper.advance();
    contenders.push({
      name: `${kind.precision} ${kind.memory}`,
      async run() {
        evaluating = 0;
        const before = performance.now();
        for (let i = 0; i < iterations; i++) await stepper.advance();
        return (performance.now() - before - evaluating) / iterations;
      },
    });
  }
  const times = await timeInTurn(contenders, rounds);
  for (const space of spaces) space.close();
  engine.dispose();
  return times;
}

/** The least loss after each number of evaluations, up to some more than the yardstick. */
async function lossesOf(kind: Kind, size: number): Promise<number[]> {
  const extractor = await createWasmExtractor(networkOptions(await benchWeights(), 'conv3_1'));
  const at = await scene(size);
  const loss = sceneLoss(extractor, at);
  const objective = createObjective(extractor, loss, [size, size]);
  const losses: number[] = [];
  const { x } = await minimize(objective, at.content, {
    method: methodOf(kind),
    bounds: [0, 1],
    maxEvaluations: yardstick + 20,
    tolerance: 0,
    onStep: ({ evaluations, value }) => {
      const before = losses.at(-1) ?? Number.POSITIVE_INFINITY;
      while (losses.length < evaluations) losses.push(before);
      losses.push(value);
    },
  });
  while (losses.length <= yardstick) losses.push(losses[losses.length - 1]);
  loss.dispose?.();
  objective.dispose();
  extractor.dispose();
  tf.dispose([x, at.content, at.style]);
  return losses;
}
