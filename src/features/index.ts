export type { ReadWeightsOptions } from '../weights/tensor-file';
export type { FeatureExtractor, Features, Linearization, NetworkIdentity } from './extractor';
export type {
  ActivationStep,
  AddStep,
  AveragePoolStep,
  ConcatStep,
  GeneratorConvStep,
  GeneratorNetwork,
  GeneratorStep,
  InstanceNormStep,
  NoiseStep,
  TransposedConvStep,
  UpsampleStep,
} from './generator-network';
export type { GeneratorParameter } from './generator-parameters';
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
export type { Padding } from './padding';
export * from './vgg19';
