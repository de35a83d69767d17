export type { FeatureExtractor, Features, Linearization } from './extractor';
export {
  type ConvLayer,
  type LayerName,
  type PoolLayer,
  type ReluLayer,
  type Vgg19Layer,
  vgg19Layers,
} from './layers';
export { type Engine, type LoadVgg19Options, loadVgg19 } from './load-vgg19';
export type { Pooling } from './tfjs-extractor';
export * from './weights';
