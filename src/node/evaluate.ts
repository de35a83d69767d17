import {
  type Evaluate,
  type EvaluateOptions,
  evaluateOn,
  type MetricName,
  type PixelMetric,
} from '../metrics/evaluate';
import type { NodeImageInput } from './image-input';
import { platform } from './platform';

/** Options of {@link evaluate}: as in `tfjs-style-transfer/metrics`, with image files. */
export interface NodeEvaluateOptions<Metric extends MetricName = PixelMetric>
  extends EvaluateOptions<Metric, NodeImageInput> {}

/**
 * `evaluate` of `tfjs-style-transfer/metrics` that also takes paths, URLs and the bytes of image files. Where the program has set up no
 * tfjs backend, it starts wasm.
 *
 * @returns a record of numbers
 * @throws ImageError if a file cannot be read; otherwise as `evaluate`
 * @example
 * ```ts
 * const { style } = await evaluate({ image: 'out.png', style: 'painting.jpg' });
 * ```
 */
export const evaluate: Evaluate<NodeImageInput> = /* @__PURE__ */ evaluateOn(platform);
