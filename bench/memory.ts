import * as tf from '@tensorflow/tfjs-core';
import { fusedObjective } from '../src/engines/wasm/losses/fused-objective';
import { Network } from '../src/engines/wasm/network/network';
import { planPass } from '../src/engines/wasm/network/pass-plan';
import { KernelRunner } from '../src/engines/wasm/runtime/kernel-runner';
import { vectorFloats } from '../src/engines/wasm/vectors/wasm-space';
import { createWasmExtractor } from '../src/engines/wasm/wasm-extractor';
import type { Loss } from '../src/losses';
import { historyBytes, lbfgs } from '../src/optim';
import { networkOptions } from './engines';
import { benchWeights, type Scene, scene, sceneLayers, sceneLoss, type Weights } from './scene';

/** Memory of the wasm engine for the benchmark's loss, in MB (10^6 bytes). */
export interface MemoryUse {
  readonly size: number;
  /** Bytes of feature maps and their gradients if each had separate memory. */
  readonly maps: number;
  /** Their bytes by the plan. */
  readonly planned: number;
  /** The whole heap after an evaluation, with weights, targets and scratch memory. */
  readonly heap: number;
  /** What L-BFGS holds beside it at most, with its default history in 8 bits. */
  readonly optimizer: number;
}

/** Evaluates once at a size in a fresh engine and looks how large its memory has become. */
export async function measureMemory(size: number): Promise<MemoryUse> {
  const weights = await benchWeights();
  const at = await scene(size);
  const engine = await KernelRunner.create({ threads: 2 });
  const loaded = networkOptions(weights, 'conv3_1');
  const network = new Network(engine, loaded.network, loaded.weights);
  const loss = await lossAt(at, weights);
  const objective = fusedObjective(network, loss, [size, size]);
  const { value, gradient, terms } = objective.evaluate(at.content);
  tf.dispose([value, gradient, terms]);
  const heap = engine.memory.memory.buffer.byteLength;
  const options = { layers: sceneLayers('conv3_1').style, backward: 'once', firstFromImage: true } as const;
  const plan = planPass(network, size, size, options);
  const maps = plan
    .at(0)
    .stages.reduce((sum, { height, width, channels }) => sum + 2 * 4 * height * width * channels, 0);
  const method = lbfgs();
  const history = method.history?.(true) ?? { pairs: 0, bits: 32 };
  const components = size * size * 3;
  const optimizer = 4 * vectorFloats(components) * (method.vectors ?? 0) + historyBytes(history, components);
  objective.dispose();
  loss.dispose?.();
  engine.dispose();
  tf.dispose([at.content, at.style]);
  return { size, maps: maps / 1e6, planned: plan.bytes / 1e6, heap: heap / 1e6, optimizer: optimizer / 1e6 };
}

/**
 * Targets by an engine that is gone afterwards, so that the heap holds an evaluation only. Gram matrices are as large
 * for any style image.
 */
async function lossAt({ size, content }: Scene, weights: Weights): Promise<Loss> {
  const extractor = await createWasmExtractor({ ...networkOptions(weights, 'conv3_1'), threads: 2 });
  const small = await scene(256);
  const loss = sceneLoss(extractor, { size, content, style: small.style });
  extractor.dispose();
  tf.dispose([small.content, small.style]);
  return loss;
}
