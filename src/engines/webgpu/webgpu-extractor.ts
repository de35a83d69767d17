import type { LoadedNetwork } from '../../features/network';
import { requireLayers } from '../../features/require-layers';
import { Lifetime } from '../../owning';
import type { EngineExtractor, GramMatrices } from '../engine';
import { checkRequest } from '../shared/check-request';
import { createTfjsExtractor } from '../tfjs/tfjs-extractor';
import { gramBands } from '../tfjs/tfjs-plan';
import { gpuOf } from './device/gpu';
import { TfjsDevice } from './device/tfjs-device';
import { extractFeatures } from './extract-features';
import { type KernelObjective, kernelObjective, type ObjectiveContext } from './losses/objective';
import type { Parts } from './losses/parts';
import { partsOfRequest, tilingOf } from './losses/tiling';
import { convolutionsOf } from './network/adapters';
import type { Convolutions } from './network/convolutions';
import { NetworkWeights, stagesOf } from './network/network';
import type { Precision } from './network/precision';
import { timeWayOn } from './network/time-way';
import type { TimeWay, TuningStore } from './network/tuning';
import { TargetErrors } from './target-errors';
import { gpuProblem } from './vectors/gpu-problem';

/** Options of {@link createWebgpuExtractor}. */
export interface WebgpuExtractorOptions {
  /** How convolutions are computed. @default what suits the adapter */
  readonly convolutions?: Convolutions | undefined;
  /** See `WebgpuEngineOptions`. @default 'float32' */
  readonly precision?: Precision | undefined;
  /** Where timings of ways of convolutions are kept, which are then chosen by these. @default by the adapter */
  readonly timings?: TuningStore | undefined;
  /** How ways are timed; for tests. @default on the device */
  readonly time?: TimeWay | undefined;
  /** Bytes that a buffer may have. @default what the device can bind */
  readonly largest?: number | undefined;
}

/**
 * An extractor whose objectives and features run on this library's own kernels, on the device of tfjs' webgpu backend.
 * Gradients of features alone (`linearize`) are computed by operations of tfjs, on the same device; so is all of
 * networks that are no sequence of convolutions, ReLUs and poolings as VGG-19 is.
 */
export function createWebgpuExtractor(
  loaded: LoadedNetwork,
  { convolutions: given, precision, timings, time, largest }: WebgpuExtractorOptions = {},
): EngineExtractor {
  const tfjs = new TfjsDevice();
  const gpu = gpuOf(tfjs.device);
  const byTfjs = createTfjsExtractor(loaded);
  const stages = stagesOf(loaded.network.steps, loaded.network.input);
  const weights = new NetworkWeights(gpu, loaded);
  const convolutions = { ...(given ?? convolutionsOf(gpu.device)), ...(precision && { precision }) };
  const { steps } = loaded.network;
  const { maxBufferSize, maxStorageBufferBindingSize } = tfjs.device.limits;
  const most = largest ?? Math.min(maxBufferSize, maxStorageBufferBindingSize);
  if (!stages) return { ...byTfjs, engine: 'webgpu' };
  const lifetime = new Lifetime('The extractor');
  // Targets are exact, whatever the precision of evaluations.
  const features = { gpu, tfjs, stages, weights, convolutions: { ...convolutions, precision: undefined } };
  const extract: EngineExtractor['extract'] = (image, wanted) => {
    lifetime.requireAlive();
    checkRequest(image, wanted, byTfjs.layers, steps);
    return extractFeatures(features, image, wanted);
  };
  const context: ObjectiveContext = {
    gpu,
    tfjs,
    stages,
    weights,
    convolutions,
    steps,
    extract,
    largest: most,
    tuning: timings && {
      convolutions,
      limits: gpu.device.limits,
      time: time ?? timeWayOn(gpu, convolutions),
      store: timings,
    },
  };
  /** Parts of requests, by what they ask for: their memory is measured once. */
  const requested = new Map<string, Parts>();
  const targetErrors = new TargetErrors(gpu, tfjs);
  return {
    ...byTfjs,
    engine: 'webgpu',
    extract: (image, wanted) => targetErrors.noted(() => extract(image, wanted)),
    gramMatrices(...request) {
      // From the features of this extractor.
      return targetErrors.noted(() => byTfjs.gramMatrices?.apply(this, request)) as GramMatrices;
    },
    verified: (compute) => targetErrors.verified(compute),
    plan(request) {
      lifetime.requireAlive();
      const { size, room = Number.POSITIVE_INFINITY, style, tileable = true, ...what } = request;
      requireLayers('layers', 'The run', [...request.layers, ...(style?.layers ?? [])], byTfjs);
      const key = JSON.stringify([what, style?.layers, tileable]);
      const parts = requested.get(key) ?? partsOfRequest(stages, request);
      requested.set(key, parts);
      const layers = [
        ...new Set([...request.layers, ...(what.featureTargets ?? []), ...(style?.layers ?? [])]),
      ];
      const found = tilingOf(context, size, { parts, layers, untileable: !tileable, room });
      // Gram matrices of the style image are computed before.
      if (style) gramBands(steps, style.layers, style.size, { room });
      const { bytes, maps, targets, tiles, work } = found;
      return { bytes, maps, targets, tiles, work };
    },
    objective(loss, size, options) {
      lifetime.requireAlive();
      const reportsBefore = targetErrors.before;
      const objective = kernelObjective(context, loss, size, { ...options, reportsBefore });
      return {
        ...objective,
        problem() {
          // A copy with another `evaluate` is a different function.
          if (this.evaluate !== objective.evaluate) return undefined;
          return problemOf(objective);
        },
      };
    },
    dispose() {
      if (!lifetime.end()) return;
      weights.dispose();
      byTfjs.dispose();
    },
  };

  async function problemOf(objective: KernelObjective) {
    const end = targetErrors.begin();
    try {
      await objective.prepare();
      return gpuProblem(gpu, tfjs, objective, end);
    } catch (error) {
      end();
      throw error;
    }
  }
}
