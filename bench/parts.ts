import * as tf from '@tensorflow/tfjs-core';
import { fusedObjective } from '../src/engines/wasm/losses/fused-objective';
import { Network } from '../src/engines/wasm/network/network';
import { type KernelArguments, KernelRunner } from '../src/engines/wasm/runtime/kernel-runner';
import type { KernelName } from '../src/engines/wasm/runtime/kernels';
import { createWasmExtractor } from '../src/engines/wasm/wasm-extractor';
import { networkOptions } from './engines';
import { benchWeights, type Depth, scene, sceneLoss } from './scene';
import { median } from './timing';

/** What one kind of work takes of an evaluation of our engine. */
export interface EvaluationPart {
  readonly size: number;
  readonly depth: Depth;
  readonly threads: number;
  /** A kernel and the shape of its work, or what is left between kernels. */
  readonly part: string;
  readonly milliseconds: number;
  /** Of the whole evaluation. */
  readonly share: number;
  /** GFLOP/s of the direct computation, where that is what the kernel does. */
  readonly speed?: number | undefined;
}

/** Watches the kernels of evaluations and adds up what is of one kind. */
export async function timeParts(
  size: number,
  depth: Depth,
  threads: number,
  rounds: number,
): Promise<EvaluationPart[]> {
  const weights = await benchWeights(depth);
  const at = await scene(size);
  const extractor = await createWasmExtractor({ ...networkOptions(weights, depth), threads });
  const loss = sceneLoss(extractor, at, depth);
  extractor.dispose();
  const image = at.content.dataSync<'float32'>();
  const engine = await KernelRunner.create({ threads });
  const loaded = networkOptions(weights, depth);
  const network = new Network(engine, loaded.network, loaded.weights);
  const objective = fusedObjective(network, loss, [size, size]);
  const gradient = new Float32Array(image.length);

  const rest = 'between kernels';
  const seen = new Map<string, { milliseconds: number[]; operations: number }>();
  const note = (round: number, { part, operations = 0 }: Work, milliseconds: number): void => {
    const known = seen.get(part) ?? { milliseconds: new Array<number>(rounds).fill(0), operations: 0 };
    known.milliseconds[round] += milliseconds;
    if (round === 0) known.operations += operations;
    seen.set(part, known);
  };
  const totals: number[] = [];
  let [round, inKernels] = [-1, 0];
  const run = engine.run.bind(engine);
  engine.run = (name, args, items) => {
    const start = performance.now();
    run(name, args, items);
    const took = performance.now() - start;
    inKernels += took;
    if (round >= 0) note(round, workOf(name, args), took);
  };
  // The first round is not counted.
  for (; round < rounds; round++) {
    inKernels = 0;
    const start = performance.now();
    objective.compute(image, gradient);
    const total = performance.now() - start;
    if (round < 0) continue;
    totals.push(total);
    note(round, { part: rest }, total - inKernels);
  }
  objective.dispose();
  loss.dispose?.();
  engine.dispose();
  tf.dispose([at.content, at.style]);

  const whole = median(totals);
  return [...seen].map(([part, { milliseconds, operations }]) => {
    const typical = median(milliseconds);
    const speed = operations ? operations / typical / 1e6 : undefined;
    return { size, depth, threads, part, milliseconds: typical, share: typical / whole, speed };
  });
}

interface Work {
  readonly part: string;
  /** Multiplications and additions of the direct computation. */
  readonly operations?: number;
}

/** What a kernel is asked to do, by the order of its arguments. */
function workOf(name: KernelName, args: KernelArguments): Work {
  const numbers = args.map((value) => (typeof value === 'number' ? value : value.float));
  if (name === 'convolve') {
    const [mask, , height, width, k, n] = numbers.slice(4);
    const way = mask ? ', through a ReLU back' : '';
    const operations = 2 * 9 * height * width * k * n;
    return { part: `convolution ${k} to ${n}, ${width} x ${height}${way}`, operations };
  }
  if (name === 'gramForward' || name === 'gramBackward') {
    const [, pixels, n] = numbers;
    const what = name === 'gramForward' ? 'Gram matrix' : 'gradient of the Gram matrix';
    return { part: `${what} of ${n} channels, ${pixels} pixels`, operations: 2 * pixels * n * n };
  }
  return { part: name };
}
