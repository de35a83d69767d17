import type { FeatureExtractor } from '../../src/features/extractor';
import type { ImageInput } from '../../src/image/to-image';
import {
  contentDistance,
  cosineSimilarity,
  msSsim,
  mutualInformation,
  psnr,
  ssim,
  styleDistance,
} from '../../src/metrics';
import { tinyExtractor } from '../../src/testing';
import { describeMetric } from '../contracts/metric';

type Options = Record<string, unknown>;
type Metric = (a: ImageInput, b: ImageInput, options?: Options) => Promise<number>;

/** A metric with options of its own, which the suite's come on top of. */
function withOptions(
  metric: (a: ImageInput, b: ImageInput, options: never) => Promise<unknown>,
  own: Options,
): Metric {
  return (a, b, options = {}) => (metric as unknown as Metric)(a, b, { ...own, ...options });
}

/** A metric of features, with a network that lives for one call. */
function withNetwork(metric: (extractor: FeatureExtractor) => Metric): Metric {
  return async (a, b, options) => {
    const extractor = tinyExtractor({ seed: 3 });
    try {
      return await metric(extractor)(a, b, options);
    } finally {
      extractor.dispose();
    }
  };
}

const similarity = { identity: 1, range: [-1, 1] } as const;
const share = { identity: 1, range: [0, 1] } as const;
const distance = { identity: 0, range: [0, Number.POSITIVE_INFINITY] } as const;

describeMetric({ ...similarity, name: 'ssim', compute: withOptions(ssim, {}), smallest: 11 });
describeMetric({
  ...similarity,
  name: 'ssim of rgb',
  compute: withOptions(ssim, { channels: 'rgb' }),
  smallest: 11,
});
describeMetric({
  ...similarity,
  name: 'ssim by uniform windows',
  compute: withOptions(ssim, { window: 'uniform' }),
  smallest: 7,
});
describeMetric({
  ...share,
  name: 'msSsim of one scale',
  compute: withOptions(msSsim, { scales: 1 }),
  smallest: 11,
});
describeMetric({
  ...share,
  name: 'msSsim of two scales',
  compute: withOptions(msSsim, { scales: 2, channels: 'rgb' }),
  smallest: 21,
});
describeMetric({
  name: 'psnr',
  compute: withOptions(psnr, {}),
  identity: Number.POSITIVE_INFINITY,
  range: [0, Number.POSITIVE_INFINITY],
});
describeMetric({ ...share, name: 'cosineSimilarity of pixels', compute: withOptions(cosineSimilarity, {}) });
describeMetric({
  ...similarity,
  name: 'cosineSimilarity of features',
  compute: withNetwork((extractor) => withOptions(cosineSimilarity, { extractor, layer: 'conv1_2' })),
});
describeMetric({
  name: 'mutualInformation in bits',
  compute: withOptions(mutualInformation, {}),
  identity: undefined,
  range: [0, 8],
});
describeMetric({
  ...share,
  name: 'mutualInformation, geometric',
  compute: withOptions(mutualInformation, { normalization: 'geometric' }),
});
describeMetric({
  ...share,
  name: 'mutualInformation, arithmetic',
  compute: withOptions(mutualInformation, { normalization: 'arithmetic', bins: 16 }),
});
describeMetric({
  ...distance,
  name: 'contentDistance',
  compute: withNetwork((extractor) =>
    withOptions(contentDistance, { extractor, layers: ['image', 'conv1_1'] }),
  ),
});
describeMetric({
  ...distance,
  name: 'styleDistance',
  compute: withNetwork((extractor) =>
    withOptions(styleDistance, { extractor, layers: ['conv1_1', 'relu1_2'] }),
  ),
  anySize: true,
});
