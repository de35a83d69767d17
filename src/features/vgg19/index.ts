export {
  type ConvertWeightsOptions,
  convertWeights,
  type WeightFile,
  type WeightFormat,
  weightFormats,
} from './convert-weights';
export {
  type LayersModelOptions,
  layersModelWeights,
  type SafetensorsOptions,
  safetensorsWeights,
} from './file-weights';
export {
  type ConvLayer,
  type PoolLayer,
  type ReluLayer,
  type Vgg19Layer,
  vgg19Layers,
} from './layers';
export type { Pooling } from './network';
export {
  type ResolvedWeights,
  type ResolveWeightsOptions,
  resolveWeights,
  type Weights,
  type WeightsPlatform,
} from './resolve-weights';
export type { LayersWeights, LayerWeights, WeightConvention, WeightSource } from './source';
export type { FileSourceOptions } from './tensor-source';
export { type Vgg19WeightsOptions, vgg19Mirrors, vgg19Weights } from './vgg19-weights';
export { type WeightMap, type WeightMapOptions, weightMap } from './weight-map';
