export type { FeatureExtractor, Features, Linearization } from './extractor';
export type { LayerName } from './layer-name';
export * from './vgg19';
