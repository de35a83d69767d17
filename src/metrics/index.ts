export { type ContentDistanceOptions, contentDistance } from './content-distance';
export { type CosineSimilarityOptions, cosineSimilarity } from './cosine-similarity';
export { cosineSimilarityOfTensors } from './cosine-similarity-of-tensors';
export {
  type Evaluate,
  type EvaluateOptions,
  evaluate,
  type FeatureMetric,
  type ImageEvaluation,
  type MetricName,
  type MetricValues,
  metricNames,
  type PixelMetric,
} from './evaluate';
export { type MsSsimOptions, msSsim } from './ms-ssim';
export {
  type GreyEntropies,
  type GreyEntropiesOptions,
  greyEntropies,
  type MutualInformationNormalization,
  type MutualInformationOptions,
  mutualInformation,
} from './mutual-information';
export type { Channels, ImageTensor } from './planes';
export { type PsnrOptions, psnr } from './psnr';
export { type SsimOptions, type SsimWithMap, ssim } from './ssim';
export { type SsimOfTensorsOptions, ssimOfTensors } from './ssim-of-tensors';
export type { SsimWindowName } from './ssim-window';
export { type StyleDistanceOptions, styleDistance } from './style-distance';
