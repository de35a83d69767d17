import * as tf from '@tensorflow/tfjs-core';
import { historyBytes } from '../../../optim/history';
import type { Problem } from '../../../optim/problem';
import { owning } from '../../../owning';
import { requireShape } from '../../shared/require-shape';
import type { FusedObjective } from '../losses/fused-objective';
import type { KernelRunner } from '../runtime/kernel-runner';
import { vectorFloats, type WasmVector, wasmSpace } from './wasm-space';

/**
 * An objective of the wasm engine in a space of its own memory. The vectors have a memory separate from the network's,
 * because 32-bit addresses cannot reach both at large sizes.
 *
 * @param vectors the engine of the vectors, which several runs may share
 * @param size [height, width] of the images that the objective was made for
 */
export function wasmProblem(
  vectors: KernelRunner,
  objective: Pick<FusedObjective, 'computeInTurns'>,
  [height, width]: readonly [height: number, width: number],
): Problem<WasmVector, number> {
  const shape: [number, number, number] = [height, width, 3];
  const space = wasmSpace(vectors, shape);
  return {
    space,
    evaluate: (x, signal) =>
      owning(async ({ result }) => {
        const gradient = space.vector();
        result(() => space.dispose(gradient));
        const views = [() => space.values(x), () => space.values(gradient)] as const;
        return { ...(await objective.computeInTurns(...views, signal)), gradient };
      }),
    async toVector(image) {
      requireShape(image, 'The start or a bound', shape, 'start');
      return space.vector(await image.data<'float32'>());
    },
    fromVector: (vector) => tf.tensor3d(space.values(vector).slice(), shape),
    requireRoom(count, history = { pairs: 0, bits: 32 }) {
      const bytes = 4 * vectorFloats(space.size) * count + historyBytes(history, space.size);
      const what = `Minimising an image of ${width} x ${height} pixels with ${count} vectors of its size and ${history.pairs} pairs`;
      vectors.memory.requireRoom(bytes, what, 'a smaller image, or a smaller memory of lbfgs');
    },
  };
}
