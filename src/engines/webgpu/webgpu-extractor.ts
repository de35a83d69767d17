import type { LoadedNetwork } from '../../features/network';
import type { EngineExtractor } from '../engine';
import { createTfjsExtractor } from '../tfjs/tfjs-extractor';
import { gpuOf } from './device/gpu';
import { TfjsDevice } from './device/tfjs-device';
import { type KernelObjective, kernelObjective, type ObjectiveContext } from './losses/objective';
import { convolutionsOf } from './network/adapters';
import type { Convolutions } from './network/convolutions';
import { NetworkWeights, stagesOf } from './network/network';
import { gpuProblem } from './vectors/gpu-problem';

/**
 * An extractor whose objectives run on this library's own kernels, on the device of tfjs' webgpu backend; features
 * alone are computed by operations of tfjs, on the same device. An objective that the kernels cannot compute, or not in
 * the room that there is, is one of tfjs too.
 */
export function createWebgpuExtractor(
  loaded: LoadedNetwork,
  how: { readonly convolutions?: Convolutions } = {},
): EngineExtractor {
  const tfjs = new TfjsDevice();
  const gpu = gpuOf(tfjs.device);
  const byTfjs = createTfjsExtractor(loaded);
  const stages = stagesOf(loaded.network.steps, loaded.network.input);
  const weights = new NetworkWeights(gpu, loaded);
  const convolutions = how.convolutions ?? convolutionsOf(gpu.device);
  const context: ObjectiveContext | undefined = stages && { gpu, tfjs, stages, weights, convolutions };
  return {
    ...byTfjs,
    engine: 'webgpu',
    objective(loss, size, options) {
      const objective = context && kernelObjective(context, loss, size, options);
      if (!objective) return byTfjs.objective?.call(this, loss, size, options);
      return {
        ...objective,
        problem() {
          // A copy with another `evaluate` is a different function.
          return this.evaluate === objective.evaluate ? problemOf(objective) : undefined;
        },
      };
    },
    dispose() {
      weights.dispose();
      byTfjs.dispose();
    },
  };

  async function problemOf(objective: KernelObjective) {
    await objective.compile();
    return gpuProblem(gpu, tfjs, objective);
  }
}
