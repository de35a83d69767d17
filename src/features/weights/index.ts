export type { ByteRange, ByteStore, Bytes, ReadBytesOptions } from './byte-store';
export { type LayersModelOptions, layersModelWeights } from './layers-model-weights';
export type {
  LayerWeights,
  ReadWeightsOptions,
  WeightConvention,
  WeightSource,
  WeightsProgress,
  WeightsWarning,
} from './source';
export { type WeightMap, type WeightMapOptions, weightMap } from './weight-map';
