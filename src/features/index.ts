export type { FeatureExtractor, Features, Linearization } from './extractor';
export * from './vgg19';
