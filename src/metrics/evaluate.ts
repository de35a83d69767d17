import { whileDeviceLasts } from '../backends/lost-device';
import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { type ImageInput, imageFrom } from '../image/to-image';
import { abortSignal, any, optionTable } from '../options/table';
import { requireName } from '../options/validate';
import { owning } from '../owning';
import { anyPlatform, type Platform, requireBackend } from '../platform';
import { contentDistance } from './content-distance';
import { cosineSimilarity } from './cosine-similarity';
import { acceptedExtractor, isExtractor } from './feature-distance';
import { msSsim, scalesThatFit } from './ms-ssim';
import { mutualInformation } from './mutual-information';
import { psnr } from './psnr';
import { ssim } from './ssim';
import { styleDistance } from './style-distance';

/** Metrics computed from pixels alone. */
export type PixelMetric =
  | 'ssim'
  | 'msSsim'
  | 'psnr'
  | 'cosineSimilarity'
  | 'mutualInformation'
  | 'mutualInformationGeometric'
  | 'mutualInformationArithmetic';

/** Metrics that need a network. */
export type FeatureMetric = 'contentDistance' | 'styleDistance';

/** Every metric of {@link evaluate}. */
export type MetricName = PixelMetric | FeatureMetric;

/** Options of {@link evaluate}. */
export interface EvaluateOptions<Metric extends MetricName = PixelMetric, Input = ImageInput> {
  /** The stylised image. */
  readonly image: Input;
  /** The content image; resized to the stylised image's size where it differs. */
  readonly content?: Input | undefined;
  /**
   * The style image; resized to the stylised image's size where it differs. For `styleDistance` it keeps its aspect
   * ratio, and only its longer side becomes the stylised image's, as `styleTransfer` does by default: strokes are
   * compared at one scale.
   */
  readonly style?: Input | undefined;
  /** Names of the metrics to compute. @default every metric; without an extractor, the pixel metrics */
  readonly metrics?: readonly Metric[] | undefined;
  /** The network of `contentDistance` and `styleDistance`; not disposed. */
  readonly extractor?: FeatureExtractor | undefined;
  /** Layers of `contentDistance`. @default ['conv2_2'] */
  readonly contentLayers?: readonly LayerName[] | undefined;
  /** Layers of `styleDistance`. @default conv1_1, conv1_2, conv2_1, conv2_2, conv3_1 */
  readonly styleLayers?: readonly LayerName[] | undefined;
  /**
   * Ends the evaluation between two metrics, or while an image is read; the promise rejects with the signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Values of the metrics named in the options; without names, of those computed by default. */
export type MetricValues<Metric extends MetricName = PixelMetric> = Readonly<
  Record<Metric, number> & Partial<Record<MetricName, number>>
>;

/** Result of {@link evaluate}. */
export interface ImageEvaluation<Metric extends MetricName = PixelMetric> {
  /** Width of the stylised image in pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * Number of scales of `msSsim`, at most 5, fewer for small images. Values are comparable only for the same number of
   * scales.
   */
  readonly msSsimScales: number;
  /** The stylised image against the content image; undefined where none was given. */
  readonly content: MetricValues<Metric> | undefined;
  /** The stylised image against the style image; undefined where none was given. */
  readonly style: MetricValues<Metric> | undefined;
}

/** Accepts any names; the extractor rejects the layers that it does not have. */
const layerNames = any<readonly LayerName[]>('an array of layer names', Array.isArray);

/** {@link evaluate} as a type, for images of a platform. */
export type Evaluate<Input> = <Metric extends MetricName = PixelMetric>(
  options: EvaluateOptions<Metric, Input>,
) => Promise<ImageEvaluation<Metric>>;

/**
 * Every metric of a stylised image against its content and its style, with the defaults of each.
 *
 * @returns a record of numbers; `psnr` is `Infinity` for equal images
 * @throws ImageError if an input is not an image, or smaller than the window of a requested metric (11x11 for `ssim`
 *   and `msSsim`); InvalidArgumentError if an option is wrong, neither content nor style is given, or a metric needs an
 *   extractor and there is none: all of these before any file is read
 * @example
 * ```ts
 * const { content, style } = await evaluate({ image, content: photograph, style: painting });
 * console.log(content?.ssim, style?.mutualInformation);
 * ```
 */
export const evaluate: Evaluate<ImageInput> = /* @__PURE__ */ evaluateOn(anyPlatform);

/** Makes `evaluate` for a platform. */
export function evaluateOn<Input>(platform: Platform<Input>): Evaluate<Input> {
  const table = optionTable<EvaluateOptions<MetricName, Input>>()('evaluate', {
    image: any<Exclude<Input, undefined>>('an image', () => true),
    content: any<Exclude<Input, undefined>>('an image', () => true),
    style: any<Exclude<Input, undefined>>('an image', () => true),
    metrics: any<readonly MetricName[]>('an array of names of metrics', Array.isArray),
    extractor: any<FeatureExtractor>(acceptedExtractor, isExtractor),
    contentLayers: layerNames,
    styleLayers: layerNames,
    signal: abortSignal(),
  });
  return async <Metric extends MetricName>(given: EvaluateOptions<Metric, Input>) => {
    const options = table.read(given);
    const { extractor, signal, content, style, metrics = extractor ? metricNames : pixelMetrics } = options;
    requireMetrics(metrics, extractor);
    if (content === undefined && style === undefined) {
      const accepted = 'content, style, or both';
      throw new InvalidArgumentError(
        'MISSING',
        `evaluate has nothing to compare with; accepted: ${accepted}.`,
        {
          option: 'content',
          accepted,
        },
      );
    }
    signal?.throwIfAborted();
    await requireBackend(platform);
    return whileDeviceLasts(() =>
      owning(async ({ temporary }) => {
        const image = temporary(await platform.decode('image', options.image, undefined, signal));
        const compare = async (option: 'content' | 'style', input: Input | undefined) =>
          input === undefined
            ? undefined
            : compareWith(image, await platform.decode(option, input, undefined, signal), metrics, options);
        const [height, width] = image.shape;
        return {
          width,
          height,
          msSsimScales: scalesThatFit(image.shape),
          content: await compare('content', content),
          style: await compare('style', style),
        } as ImageEvaluation<Metric>;
      }),
    );
  };
}

/** Options of the feature metrics. */
type NetworkOptions = Pick<
  EvaluateOptions<MetricName>,
  'extractor' | 'contentLayers' | 'styleLayers' | 'signal'
>;

type Measure = (image: Image, other: Image, scaled: Image, options: NetworkOptions) => Promise<number>;

/** `other` is resized to the image's size, `scaled` so that its longer side is the image's. */
const measures: Readonly<Record<MetricName, Measure>> = {
  ssim: (image, other) => ssim(image, other),
  msSsim: (image, other) => msSsim(image, other, { scales: Math.max(1, scalesThatFit(image.shape)) }),
  psnr: (image, other) => psnr(image, other),
  cosineSimilarity: (image, other) => cosineSimilarity(image, other),
  mutualInformation: (image, other) => mutualInformation(image, other),
  mutualInformationGeometric: (image, other) =>
    mutualInformation(image, other, { normalization: 'geometric' }),
  mutualInformationArithmetic: (image, other) =>
    mutualInformation(image, other, { normalization: 'arithmetic' }),
  contentDistance: (image, other, _scaled, { extractor, contentLayers: layers }) =>
    contentDistance(image, other, { extractor: extractor as FeatureExtractor, layers }),
  styleDistance: (image, _other, scaled, { extractor, styleLayers: layers }) =>
    styleDistance(image, scaled, { extractor: extractor as FeatureExtractor, layers }),
};

/** Every {@link MetricName}, in the order of tables. */
export const metricNames = Object.keys(measures) as readonly MetricName[];
const pixelMetrics = metricNames.filter((name) => !name.endsWith('Distance'));

function requireMetrics(metrics: readonly MetricName[], extractor: FeatureExtractor | undefined): void {
  if (metrics.length === 0) {
    const message = `metrics is []; accepted: some of ${metricNames.join(', ')}.`;
    throw new InvalidArgumentError('EMPTY', message, {
      option: 'metrics',
      value: metrics,
      accepted: metricNames,
    });
  }
  metrics.forEach((name, i) => {
    requireName(`metrics[${i}]`, name, metricNames);
    if (extractor || pixelMetrics.includes(name)) return;
    const message = `metrics[${i}] is '${name}', which needs an extractor; accepted: ${acceptedExtractor}.`;
    throw new InvalidArgumentError('NO_EXTRACTOR', message, {
      option: 'extractor',
      accepted: acceptedExtractor,
    });
  });
}

/** Disposes `original`. */
function compareWith(
  image: Image,
  original: Image,
  metrics: readonly MetricName[],
  options: NetworkOptions,
): Promise<Partial<Record<MetricName, number>>> {
  return owning(async ({ temporary }) => {
    temporary(original);
    const [height, width] = image.shape;
    const other = temporary(await imageFrom('image', original, { width, height }));
    const scaled = temporary(await imageFrom('image', original, { longerSide: Math.max(width, height) }));
    const values: Partial<Record<MetricName, number>> = {};
    for (const name of metrics) {
      options.signal?.throwIfAborted();
      values[name] = await measures[name](image, other, scaled, options);
    }
    return values;
  });
}
