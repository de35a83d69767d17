import * as tf from '@tensorflow/tfjs-core';
import { createTfjsExtractor } from '../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../src/engines/wasm/wasm-extractor';
import type { FeatureExtractor } from '../src/features/extractor';
import { loadedVgg19 } from '../src/features/vgg19/network';
import { useTfjsNode } from '../src/node/use-tfjs-node';
import { supportsRelaxedSimd } from '../src/wasm-simd';
import type { Depth, Weights } from './scene';

/** An engine of this project, under the name that tables show. */
export interface BenchEngine {
  readonly name: string;
  /** The backend of tfjs that it works on, or beside. */
  readonly backend: 'wasm' | 'tensorflow';
  /** The largest size at which anybody would wait for it. */
  readonly largest: number;
  /** Whether whole runs are timed on it. */
  readonly wholeRuns: boolean;
  create(weights: Weights, depth: Depth): Promise<FeatureExtractor>;
}

/** Options common to all extractors of the benchmarks. */
export const networkOptions = (weights: Weights, depth: Depth) =>
  loadedVgg19(weights, { lastLayer: depth, convention: 'caffe', weightsName: 'benchmark' });

/** Every engine that is measured here: relaxed SIMD where WebAssembly has it, tfjs-node where it is installed. */
export async function benchEngines(): Promise<readonly BenchEngine[]> {
  const tfjs = async (weights: Weights, depth: Depth) => createTfjsExtractor(networkOptions(weights, depth));
  return [
    own('own kernels, threads: 1', { threads: 1 }),
    own('own kernels, threads: 2', { threads: 2 }),
    ...(supportsRelaxedSimd()
      ? [own('own kernels, threads: 2, relaxed SIMD', { threads: 2, relaxedSimd: true })]
      : []),
    { name: 'tfjs-wasm, flipped filters', backend: 'wasm', largest: 512, wholeRuns: false, create: tfjs },
    ...((await hasTfjsNode())
      ? [{ name: 'tfjs-node', backend: 'tensorflow', largest: 1024, wholeRuns: false, create: tfjs } as const]
      : []),
  ];
}

function own(name: string, how: { threads: number; relaxedSimd?: boolean }): BenchEngine {
  return {
    name,
    backend: 'wasm',
    largest: 2048,
    wholeRuns: how.threads > 1 && !how.relaxedSimd,
    create: (weights, depth) => createWasmExtractor({ ...networkOptions(weights, depth), ...how }),
  };
}

/** Whether TensorFlow's own library is there; leaves wasm active. */
async function hasTfjsNode(): Promise<boolean> {
  try {
    await useTfjsNode();
    return true;
  } catch {
    return false;
  } finally {
    await tf.setBackend('wasm');
  }
}
