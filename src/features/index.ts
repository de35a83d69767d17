export type { ReadWeightsOptions } from '../weights/tensor-file';
export type { FeatureExtractor, Features, Linearization, NetworkIdentity } from './extractor';
export type { LayerName } from './layer-name';
export type {
  ConvStep,
  LoadedNetwork,
  NamedTensor,
  NamedTensors,
  Network,
  NetworkStep,
  Normalization,
  PoolStep,
  ReluStep,
} from './network';
export { weightsHash } from './network-identity';
export * from './vgg19';
