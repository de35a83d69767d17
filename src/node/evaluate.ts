import {
  type Evaluate,
  type EvaluateOptions,
  evaluateOn,
  type MetricName,
  type PixelMetric,
} from '../metrics/evaluate';
import type { NodeImageInput } from './image-input';
import { platform } from './platform';

/** Options of {@link evaluate}: those of `tfjs-style-transfer/metrics`, with image files as inputs. */
export interface NodeEvaluateOptions<Metric extends MetricName = PixelMetric>
  extends EvaluateOptions<Metric, NodeImageInput> {}

/**
 * `evaluate` of `tfjs-style-transfer/metrics` that also takes paths, URLs and the bytes of image files. If the program
 * has not set up a tfjs backend, it starts wasm.
 *
 * @returns a record of numbers
 * @throws ImageError if a file cannot be read; otherwise as `evaluate`
 * @example
 * ```ts
 * const { style } = await evaluate({ image: 'out.png', style: 'painting.jpg' });
 * ```
 */
export const evaluate: Evaluate<NodeImageInput> = /* @__PURE__ */ evaluateOn(platform);
