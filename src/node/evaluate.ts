import {
  type EvaluateOptions,
  evaluate as evaluateAnywhere,
  type ImageEvaluation,
  type MetricName,
  type PixelMetric,
} from '../metrics/evaluate';
import { decodeInput, type NodeImageInput } from './image-input';

/** Options of {@link evaluate}: as in `tfjs-style-transfer/metrics`, with image files. */
export interface NodeEvaluateOptions<Metric extends MetricName = PixelMetric>
  extends Omit<EvaluateOptions<Metric>, 'image' | 'content' | 'style'> {
  /** The stylised image. */
  readonly image: NodeImageInput;
  /** The content image; resized to the stylised image's size where it differs. */
  readonly content?: NodeImageInput | undefined;
  /** The style image; resized to the stylised image's size where it differs. */
  readonly style?: NodeImageInput | undefined;
}

/**
 * `evaluate` of `tfjs-style-transfer/metrics` that also takes paths, URLs and the bytes of image files.
 *
 * @returns a record of numbers
 * @throws ImageError if a file cannot be read; otherwise as `evaluate`
 * @example
 * ```ts
 * const { style } = await evaluate({ image: 'out.png', style: 'painting.jpg' });
 * ```
 */
export async function evaluate<Metric extends MetricName = PixelMetric>(
  options: NodeEvaluateOptions<Metric>,
): Promise<ImageEvaluation<Metric>> {
  const decode = async (option: 'content' | 'style') => {
    const input = options[option];
    return input === undefined ? undefined : decodeInput(option, input);
  };
  return evaluateAnywhere<Metric>({
    ...options,
    image: await decodeInput('image', options.image),
    content: await decode('content'),
    style: await decode('style'),
  });
}
