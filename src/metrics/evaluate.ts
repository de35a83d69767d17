import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { type ImageInput, imageFrom } from '../image/to-image';
import { showValue } from '../options/show';
import { requireKnownOptions, requireName } from '../options/validate';
import { contentDistance } from './content-distance';
import { cosineSimilarity } from './cosine-similarity';
import { msSsim, scalesThatFit } from './ms-ssim';
import { mutualInformation } from './mutual-information';
import { psnr } from './psnr';
import { ssim } from './ssim';
import { styleDistance } from './style-distance';

/** Metrics that need nothing but pixels. */
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

/** What {@link evaluate} takes. */
export interface EvaluateOptions<Metric extends MetricName = PixelMetric> {
  /** The stylised image. */
  readonly image: ImageInput;
  /** The content image; resized to the stylised image's size where it differs. */
  readonly content?: ImageInput | undefined;
  /**
   * The style image; resized to the stylised image's size where it differs. For `styleDistance` it keeps its aspect ratio, and only
   * its longer side becomes the stylised image's, as `styleTransfer` does by default: strokes are compared at one scale.
   */
  readonly style?: ImageInput | undefined;
  /** @default every metric; without an extractor those that need none */
  readonly metrics?: readonly Metric[] | undefined;
  /** The network of `contentDistance` and `styleDistance`; not disposed. */
  readonly extractor?: FeatureExtractor | undefined;
  /** Layers of `contentDistance`. @default ['conv2_2'] */
  readonly contentLayers?: readonly LayerName[] | undefined;
  /** Layers of `styleDistance`. @default conv1_1, conv1_2, conv2_1, conv2_2, conv3_1 */
  readonly styleLayers?: readonly LayerName[] | undefined;
}

/** The metrics that were asked for, and whichever others were computed by default. */
export type MetricValues<Metric extends MetricName = PixelMetric> = Readonly<
  Record<Metric, number> & Partial<Record<MetricName, number>>
>;

/** What {@link evaluate} returns. */
export interface ImageEvaluation<Metric extends MetricName = PixelMetric> {
  /** Of the stylised image, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Scales of `msSsim`: as many of 5 as the image has room for. Values compare only with others of as many scales. */
  readonly msSsimScales: number;
  /** The stylised image against the content image; undefined where none was given. */
  readonly content: MetricValues<Metric> | undefined;
  /** The stylised image against the style image; undefined where none was given. */
  readonly style: MetricValues<Metric> | undefined;
}

/**
 * Every metric of a stylised image against its content and its style, with the defaults of each.
 *
 * @returns a record of numbers; `psnr` is `Infinity` for equal images
 * @throws ImageError if an input is no image, or smaller than the window of a metric asked for (11x11 for `ssim` and `msSsim`);
 *   InvalidArgumentError if an option is wrong, neither content nor style is given, or a metric needs an extractor and there is none
 * @example
 * ```ts
 * const { content, style } = await evaluate({ image, content: photograph, style: painting });
 * console.log(content?.ssim, style?.mutualInformation);
 * ```
 */
export async function evaluate<Metric extends MetricName = PixelMetric>(
  options: EvaluateOptions<Metric>,
): Promise<ImageEvaluation<Metric>> {
  requireKnownOptions('evaluate', options, knownOptions);
  const { content, style, extractor } = options;
  const metrics = options.metrics ?? (extractor ? metricNames : pixelMetrics);
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
  const image = await imageFrom('image', options.image);
  const compare = async (option: 'content' | 'style') => {
    const input = options[option];
    return input === undefined
      ? undefined
      : compareWith(image, await imageFrom(option, input), metrics, options);
  };
  try {
    const [height, width] = image.shape;
    return {
      width,
      height,
      msSsimScales: scalesThatFit(image.shape),
      content: await compare('content'),
      style: await compare('style'),
    } as ImageEvaluation<Metric>;
  } finally {
    image.dispose();
  }
}

const knownOptions = ['image', 'content', 'style', 'metrics', 'extractor', 'contentLayers', 'styleLayers'];

type Measure = (
  image: Image,
  other: Image,
  scaled: Image,
  options: EvaluateOptions<MetricName>,
) => Promise<number>;

/** `other` has the image's size, `scaled` its longer side. */
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
  if (!Array.isArray(metrics) || metrics.length === 0) {
    const message = `metrics is ${showValue(metrics)}; accepted: some of ${metricNames.join(', ')}.`;
    throw new InvalidArgumentError('EMPTY', message, {
      option: 'metrics',
      value: metrics,
      accepted: metricNames,
    });
  }
  metrics.forEach((name, i) => {
    requireName(`metrics[${i}]`, name, metricNames);
    if (extractor || pixelMetrics.includes(name)) return;
    const message = `${name} needs an extractor, such as loadVgg19() gives.`;
    throw new InvalidArgumentError('NO_EXTRACTOR', message, {
      option: 'extractor',
      accepted: 'a FeatureExtractor',
    });
  });
}

/** Takes `original` over and frees it. */
async function compareWith(
  image: Image,
  original: Image,
  metrics: readonly MetricName[],
  options: EvaluateOptions<MetricName>,
): Promise<Partial<Record<MetricName, number>>> {
  const owned = [original];
  try {
    const [height, width] = image.shape;
    const other = await imageFrom('image', original, { width, height });
    owned.push(other);
    const scaled = await imageFrom('image', original, { longerSide: Math.max(width, height) });
    owned.push(scaled);
    const values: Partial<Record<MetricName, number>> = {};
    for (const name of metrics) values[name] = await measures[name](image, other, scaled, options);
    return values;
  } finally {
    tf.dispose(owned);
  }
}
