import type * as tf from '@tensorflow/tfjs-core';
import type { Problem } from '../../../optim/problem';
import { requireShape } from '../../shared/require-shape';
import type { Gpu } from '../device/gpu';
import type { TfjsDevice } from '../device/tfjs-device';
import type { KernelObjective } from '../losses/objective';
import { type GpuScalar, type GpuVector, gpuSpace } from './gpu-space';

/**
 * An objective of the webgpu engine with vectors on the same device: an evaluation is recorded, not waited for.
 *
 * @param onClosed called as the space of its vectors is closed
 */
export function gpuProblem(
  gpu: Gpu,
  tfjs: TfjsDevice,
  objective: KernelObjective,
  onClosed: () => void,
): Problem<GpuVector, GpuScalar> {
  const [height, width] = objective.size;
  const shape: [number, number, number] = [height, width, 3];
  const space = gpuSpace(gpu, tfjs, shape, objective);
  return {
    space: {
      ...space,
      close() {
        space.close();
        onClosed();
      },
    },
    evaluate(x) {
      objective.record(space.slice(x));
      const gradient = space.copyOf(objective.gradient);
      const keep = space.keep(objective.results, objective.resultCount);
      return {
        value: keep(Object.values(objective.terms).flat()),
        gradient,
        terms: Object.fromEntries(Object.entries(objective.terms).map(([name, own]) => [name, keep(own)])),
      };
    },
    async toVector(image) {
      requireShape(image, 'The start or a bound', shape, 'start');
      return space.vector(await image.data<'float32'>());
    },
    fromVector: (vector) => space.tensor(vector) as tf.Tensor3D,
  };
}
