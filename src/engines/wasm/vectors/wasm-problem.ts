import * as tf from '@tensorflow/tfjs-core';
import { requireSameShape } from '../../../losses/targets';
import type { Workspace } from '../../../optim/problem';
import type { FusedObjective } from '../losses/fused-objective';
import type { KernelEngine } from '../runtime/kernel-runner';
import { type EngineVector, engineSpace, vectorFloats } from './wasm-space';

/**
 * An optimiser's vectors in an engine of their own, beside the network's: 32-bit addresses would not reach both at large sizes.
 *
 * @param vectors the engine, which several runs may share
 */
export function engineWorkspace(
  vectors: KernelEngine,
  objective: FusedObjective,
  [height, width]: readonly [height: number, width: number],
): Workspace<EngineVector> {
  const shape: [number, number, number] = [height, width, 3];
  const space = engineSpace(vectors, shape);
  return {
    space,
    evaluate(x) {
      const { value, terms, gradient } = objective.compute(space.values(x));
      return { value, terms, gradient: space.vector(gradient) };
    },
    vectorOf(tensor) {
      requireSameShape('objective', 'image', tensor, { shape } as unknown as tf.Tensor);
      return space.vector(tensor.dataSync<'float32'>());
    },
    tensorOf: (vector) => tf.tensor3d(space.values(vector).slice(), shape),
    requireRoom(count) {
      const bytes = 4 * vectorFloats(space.size) * count;
      const what = `Minimising an image of ${width} x ${height} pixels with ${count} vectors of its size`;
      vectors.memory.requireRoom(bytes, what, 'a smaller image, or a smaller memory of lbfgs');
    },
  };
}
