export {
  type ConvertWeightsOptions,
  convertWeights,
  type WeightFile,
  type WeightFormat,
  weightFormats,
} from './convert-weights';
export { type LayersModelOptions, layersModelWeights } from './layers-model-weights';
export { type SafetensorsOptions, safetensorsWeights } from './safetensors-weights';
export type {
  LayerWeights,
  ReadWeightsOptions,
  WeightConvention,
  WeightSource,
  WeightsProgress,
  WeightsWarning,
} from './source';
export { type WeightMap, type WeightMapOptions, weightMap } from './weight-map';
